"""The real program in the worst environment that a caller may have: it trades, answers and ends as ever."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange

DEAD = "http://127.0.0.1:9"
HOSTILE = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONUTF8": "0",
    "LC_ALL": "C",
    "LANG": "xx_XX.ISO-8859-1",
    "TZ": "Asia/Seoul",
    **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"), DEAD),
    "REQUESTS_CA_BUNDLE": "/nonexistent",
    "SSL_CERT_FILE": "/nonexistent",
    "XDG_RUNTIME_DIR": "/nonexistent",
    "XDG_STATE_HOME": "/nonexistent",
    "COLUMNS": "1",
    "GUNICORN_CMD_ARGS": "--nonsense",
    "FLASK_DEBUG": "1",
}
NAME = "Größe 比特币"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def hostile(daemon: Daemon, tmp_path: Path) -> Iterator[Daemon]:
    """The daemon in a hostile environment, not started yet."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text("machine 127.0.0.1 login user password hush\n")
    daemon.environ |= {**HOSTILE, "HOME": str(home), "NETRC": str(home / ".netrc")}
    mask = os.umask(0o077)
    yield daemon
    os.umask(mask)


def stamps(document: Any) -> list[str]:
    """The values of all members that are called a moment."""
    if isinstance(document, list):
        return [stamp for each in document for stamp in stamps(each)]
    if not isinstance(document, dict):
        return []
    own = [v for name, v in document.items() if name.endswith("_at") and v is not None]
    return own + [stamp for value in document.values() for stamp in stamps(value)]


def test_bot_in_a_hostile_environment_buys_holds_and_ends_flat(
    hostile: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row() | {"name": NAME})
    hostile.start()
    bot = hostile.until_holding()
    hostile.signal(signal.SIGHUP)
    exchange.stop_bot("b1")
    stopped = hostile.until("STOPPED")

    assert bot["name"] == NAME
    assert stopped["position"]["side"] is None
    assert exchange.bots_base() == 0
    assert exchange.lowest() >= OWN_BTC
    assert hostile.stop() == 0
    assert len(exchange.executed(side="sell")) == 1
    eventually(lambda: not hostile.family(), "no process of it lives")
    sent = exchange.call("GET", "/sandbox/requests")["last"]
    assert {request["authorization"] for request in sent} == {None}


def open_to_others(daemon: Daemon) -> dict[str, str]:
    """The mode of each file of the daemon's that others than its user may read or write."""
    made = [path for top in ("state", "run") for path in (daemon.folder / top).rglob("*")]
    made += [daemon.folder / "state", daemon.folder / "run"]
    modes = {str(path): stat.S_IMODE(path.stat().st_mode) for path in made}
    assert len(modes) > 5
    return {path: oct(mode) for path, mode in modes.items() if mode & 0o077}


@pytest.mark.usefixtures("listing_only")
def test_commands_and_files_in_a_hostile_environment_are_as_ever(
    hostile: Daemon, exchange: Exchange
) -> None:
    """Moments are in UTC, a name is in its own script, files are the user's alone."""
    exchange.list_bots(bot_row() | {"name": NAME})
    hostile.start()
    hostile.until_holding()
    told, readable = stamps(hostile.status()), open_to_others(hostile)
    done = {
        arguments[0]: hostile.command(*arguments)
        for arguments in (
            ["check"],
            ["status", "--json"],
            ["log", "b1"],
            ["doctor"],
            ["stop", "b1"],
        )
    }

    assert readable == {}
    assert len(told) > 3
    assert [stamp for stamp in told if not STAMP.fullmatch(stamp)] == []
    assert {name: each.returncode for name, each in done.items()} == dict.fromkeys(done, 0)
    assert {name: each.stderr for name, each in done.items()} == dict.fromkeys(done, "")
    status = json.loads(done["status"].stdout)
    assert status["bots"][0]["name"] == NAME
    rows = done["log"].stdout.splitlines()
    assert [row for row in rows if not STAMP.match(row)] == []
    assert hostile.bot()["state"] == "HELD"
    assert exchange.bots_base() == 0
    assert hostile.stop() == 0
