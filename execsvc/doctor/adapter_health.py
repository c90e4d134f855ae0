"""The adapter's report on itself: ``GET /health``, which not every adapter has."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from execsvc.clients.answers import HttpAnswer
from execsvc.clients.http import HttpClient, NotSent
from execsvc.errors import Unavailable

_CALL = "GET /health"
_NO_SUCH_CALL = (404, 405, 501)
_HEALTHY = frozenset(
    {"ok", "healthy", "up", "pass", "alive", "ready", "running", "true", "success"}
)
"""Values of ``status`` that mean health."""


class AdapterHealth(NamedTuple):
    """The adapter's health, and a text about it for the operator."""

    text: str
    is_healthy: bool


def read_health(http: HttpClient) -> AdapterHealth | None:
    """The adapter's own report on its health; None of an adapter that has no such call.

    Raises NotSent when the adapter cannot be reached. Any other failure is an answer like the
    others: the calls that trading depends on may work all the same.
    """
    try:
        answer = http.get_any_status(_CALL, "/health")
    except NotSent:
        raise
    except Unavailable as error:
        return AdapterHealth(str(error), is_healthy=False)
    if answer.status in _NO_SUCH_CALL:
        return None
    if not answer.is_success:
        return AdapterHealth(http.describe_failure(answer), is_healthy=False)
    return _parse(http, answer)


def _parse(http: HttpClient, answer: HttpAnswer) -> AdapterHealth:
    try:
        body = answer.json()
    except Unavailable:  # no JSON: the answer shows only that the adapter is reachable
        return AdapterHealth(f"{_CALL}: HTTP {answer.status}", is_healthy=True)
    status = body.get("status") if isinstance(body, dict) else None
    if status is None:
        return AdapterHealth(f"{_CALL}: HTTP {answer.status}", is_healthy=True)
    shown = _text(status)
    if shown.casefold() in _HEALTHY:
        return AdapterHealth(http.clean(f"{_CALL} says {shown}"), is_healthy=True)
    rest = {name: value for name, value in body.items() if name != "status"}
    more = f": {_text(rest)}" if rest else ""
    return AdapterHealth(http.clean(f"{_CALL} says {shown}{more}"), is_healthy=False)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
