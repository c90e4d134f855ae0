"""The service itself: its process, its report on its health, and its HTTP side."""

from __future__ import annotations

from typing import Any

from execsvc.clients import control_socket
from execsvc.clients.http import HttpClient, NotSent
from execsvc.doctor.finding import Finding, fault, passed, warning
from execsvc.doctor.unit import Unit
from execsvc.errors import Unavailable
from execsvc.settings import Bind, Settings

ANSWER_SECONDS = 5.0
"""Seconds the service has to answer."""
_CHECK = "service"
_HTTP = "http"
_SERVICE = "execution-service"
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_STATUS = "execsvc status says more"


def check(settings: Settings, unit: Unit | None) -> list[Finding]:
    """The findings about a service that runs, or does not, with these settings."""
    try:
        answer = control_socket.ask(settings.runtime_dir, {"call": "health"}, ANSWER_SECONDS)
    except Unavailable as error:
        return [_silent(error, unit), *_port(settings, runs=False)]
    return [*_health(answer), *_port(settings, runs=True)]


def url_of(bind: Bind) -> str:
    """The URL of a service of this machine that is bound to ``bind``."""
    return f"http://{Bind(host=_ANY.get(bind.host, bind.host), port=bind.port)}"


def _silent(error: Unavailable, unit: Unit | None) -> Finding:
    if unit is not None and unit.is_active:
        return fault(
            _CHECK,
            f"{unit.name} is active, but {error}",
            "run this as root; if that does not help, the settings are not the unit's",
        )
    return warning(_CHECK, f"not running: {error}", "start the service when no fault is left")


def _health(answer: dict[str, Any]) -> list[Finding]:
    status, reasons = str(answer.get("status")), answer.get("reasons") or []
    if status == "ok":
        return [passed(_CHECK, "running, health ok")]
    return [
        warning(_CHECK, f"running, health {status}{': ' if reason else ''}{reason}", _STATUS)
        for reason in (reasons or [""])
    ]


def _port(settings: Settings, runs: bool) -> list[Finding]:
    bind = settings.http_bind
    if bind.port == 0:
        return [passed(_HTTP, "the system chooses the port, as configured")]
    http = HttpClient(url_of(bind), None, ANSWER_SECONDS)
    try:
        body = http.get_any_status("GET /health", "/health").json()
    except Unavailable as error:
        if runs:
            do = "the log says why; the bots do not depend on HTTP"
            return [fault(_HTTP, f"{bind} does not answer as expected: {error}", do)]
        free = isinstance(error, NotSent)
        return [passed(_HTTP, f"{bind} is free") if free else _taken(bind)]
    ours = isinstance(body, dict) and body.get("service") == _SERVICE
    if runs and ours:
        return [passed(_HTTP, f"{bind} answers")]
    return [_taken(bind)]


def _taken(bind: Bind) -> Finding:
    return fault(
        _HTTP,
        f"{bind} belongs to another process: the service would not start",
        "end that process (ss -ltnp), or change EXECSVC_HTTP_BIND",
    )
