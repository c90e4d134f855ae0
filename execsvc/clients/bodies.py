"""Bodies that are sent: JSON with exact numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from execsvc.model.market import plain


def json_object(members: Mapping[str, str | Decimal | int | None]) -> str:
    """A JSON object; a Decimal becomes a number with the digits that it has, no more.

    >>> json_object({"a": Decimal("0.10"), "b": None})
    '{"a": 0.1, "b": null}'
    """
    texts = (f"{json.dumps(name)}: {_value(value)}" for name, value in members.items())
    return "{" + ", ".join(texts) + "}"


def _value(value: str | Decimal | int | None) -> str:
    # A float would have other digits than were rounded to.
    return plain(value) if isinstance(value, Decimal) else json.dumps(value)
