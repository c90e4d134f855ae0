"""With a token set, the HTTP side gives nothing away without it."""

from __future__ import annotations

import pytest
import requests
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.newcomer import gives_nothing_away, healthy

TOKEN = "open-sesame-4711"


def test_without_the_token_nothing_but_health_is_answered(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start(wait=False, EXECSVC_HTTP_TOKEN=TOKEN, EXECSVC_LOG_LEVEL="DEBUG")
    eventually(lambda: daemon.port, "it listens")
    healthy(daemon)
    right = {"Authorization": f"Bearer {TOKEN}"}
    eventually(lambda: daemon.get("/status", headers=right).json()["running_bots"], "it runs")
    wrong = [
        None,
        "",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        "Bearer ",
        "Bearer \xff\xfe",
        f"Bearer {TOKEN}, Bearer x",
    ]
    for given in wrong:
        headers = {} if given is None else {"Authorization": given.encode("latin-1")}
        port = daemon.port
        for method, path in (
            ("GET", "/status"),
            ("POST", "/poll"),
            ("GET", "/nothing"),
            ("PUT", "/status"),
            ("GET", "/health/"),
            ("GET", "/status?token=" + TOKEN),
        ):
            answer = requests.request(
                method, f"http://127.0.0.1:{port}{path}", headers=headers, timeout=60
            )
            assert answer.status_code == 401, (given, method, path)
            assert set(answer.json()) == {"error"}
            gives_nothing_away(str(answer.headers).encode() + answer.content)
    assert daemon.post("/poll", headers=right).status_code == 202
    assert daemon.get("/health").status_code == 200
    assert TOKEN not in daemon.get("/status", headers=right).text
    for process in daemon.family():
        assert TOKEN not in process.title
    assert daemon.stop() == 0
    assert TOKEN not in daemon.log


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0", "example.org:80"])
def test_an_open_bind_without_a_token_is_refused(daemon: Daemon, bind: str) -> None:
    assert daemon.start(wait=False, EXECSVC_HTTP_BIND=bind).wait() == 78
    assert "EXECSVC_HTTP_BIND" in daemon.log
    assert "Traceback" not in daemon.log
