"""An unknown client of the control plane."""

from __future__ import annotations

import requests
from support.daemon import Daemon
from support.deadline import eventually


def healthy(daemon: Daemon, within: float = 30.0) -> None:
    """A newcomer is answered."""

    port = daemon.port

    def look() -> bool:
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/health", timeout=5)
        except requests.RequestException:
            return False
        return answer.status_code == 200

    eventually(look, "a newcomer is answered", within)


def gives_nothing_away(answer: bytes) -> None:
    """No version of anything, no traceback."""
    text = answer.decode("latin-1").lower()
    for word in ("gunicorn/", "werkzeug", "flask", "python", "traceback", ".py"):
        assert word not in text, text
