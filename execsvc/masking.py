"""Masks the secrets of the settings in every text that leaves a process.

A service may echo its own token, or another's; an operator may paste one where it does not belong.
A process registers its secrets once, and its children inherit them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

MASK = "***"
SHORTEST = 4
"""Characters of the shortest masked secret: masking a shorter one would make texts unreadable."""

_secrets: set[str] = set()
_pattern: re.Pattern[str] | None = None


def register_secrets(secrets: Iterable[str]) -> None:
    """Mask ``secrets`` in this process from now on, and in the processes that it forks."""
    global _pattern  # noqa: PLW0603 - what a process must not tell is one thing for all of it
    new = {secret for secret in secrets if len(secret) >= SHORTEST} - _secrets
    if not new:
        return
    _secrets.update(new)
    written = {form for secret in _secrets for form in _forms(secret)}
    _pattern = re.compile("|".join(map(re.escape, sorted(written, key=len, reverse=True))))


def forget_secrets() -> None:
    """Mask no secret any more."""
    global _pattern  # noqa: PLW0603 - see above
    _secrets.clear()
    _pattern = None


def masked(text: str) -> str:
    """``text`` with ``***`` in the place of each secret, in any of its notations."""
    return text if _pattern is None else _pattern.sub(MASK, text)


def masked_json(document: Any) -> str:
    """``document`` as JSON, with every text in it masked; the names of its members are ours."""
    text = json.dumps(document)
    if _pattern is None or not _pattern.search(text):
        return text
    return json.dumps(_each(document))


def _each(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {name: _each(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_each(member) for member in value]
    return value


def _forms(secret: str) -> set[str]:
    """``secret`` as it is, in JSON, in Python's own notation, and in a URL."""
    in_json = json.dumps(secret)[1:-1]
    return {secret, in_json, json.dumps(in_json)[1:-1], repr(secret)[1:-1], quote(secret, safe="")}
