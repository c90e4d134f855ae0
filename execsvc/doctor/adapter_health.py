"""The adapter's report on itself: ``GET /health``, which not every adapter has."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from execsvc.clients.answers import HttpAnswer
from execsvc.clients.http import HttpClient, NotSent
from execsvc.errors import Unavailable

_CALL = "GET /health"
_NO_SUCH_CALL = (404, 405, 501)
_WELL = frozenset({"ok", "healthy", "up", "pass", "alive", "ready", "running", "true", "success"})
"""Words of a ``status`` that mean health."""


class Health(NamedTuple):
    """The adapter's answer, in words."""

    text: str
    is_well: bool


def ask(http: HttpClient) -> Health | None:
    """The adapter's own report on its health; None of an adapter that has no such call.

    Raises NotSent when the adapter cannot be reached. Any other failure is an answer like the
    others: the calls that trading depends on may work all the same.
    """
    try:
        answer = http.get_any_status(_CALL, "/health")
    except NotSent:
        raise
    except Unavailable as error:
        return Health(str(error), is_well=False)
    if answer.status in _NO_SUCH_CALL:
        return None
    if not answer.is_success:
        return Health(http.describe_failure(answer), is_well=False)
    return _judged(http, answer)


def _judged(http: HttpClient, answer: HttpAnswer) -> Health:
    try:
        body = answer.json()
    except Unavailable:  # no JSON: the answer shows only that the adapter is reachable
        return Health(f"{_CALL}: HTTP {answer.status}", is_well=True)
    status = body.get("status") if isinstance(body, dict) else None
    if status is None:
        return Health(f"{_CALL}: HTTP {answer.status}", is_well=True)
    word = _text(status)
    if word.casefold() in _WELL:
        return Health(http.clean(f"{_CALL} says {word}"), is_well=True)
    rest = {name: value for name, value in body.items() if name != "status"}
    more = f": {_text(rest)}" if rest else ""
    return Health(http.clean(f"{_CALL} says {word}{more}"), is_well=False)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
