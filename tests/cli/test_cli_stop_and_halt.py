"""``execsvc stop``, ``halt`` and ``resume`` against a scripted daemon."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.command import ControlSocket, Execsvc
from support.environment import scrubbed
from support.stores import store_in

from execsvc.cli import daemon

HALT = {"since": "2026-01-02T03:04:05.000Z", "reason": "the exchange lies"}
LEFT: dict[str, Any] = {
    "bot_id": "b1",
    "name": "My bot",
    "state": "LIQUIDATING",
    "symbol": "BTC/USDT",
    "tracked": "0.5",
    "why": "a liquidation failed and is tried again: no\nbid",
    "going_on": True,
}
LEFT_LINE = (
    "NOT FLAT: bot b1 (My bot), BTC/USDT, tracked 0.5, LIQUIDATING: "
    "a liquidation failed and is tried again: no bid"
)


def unfinished(*left: dict[str, Any], state: str | None = None) -> dict[str, Any]:
    return {"halted": HALT, "of": 3, "bots": list(left), "state": state}


@pytest.fixture
def told(daemon: ControlSocket, state_dir: Path) -> ControlSocket:
    """A daemon that knows the bot b1, called My bot, and does as it is told, at once."""
    state_dir.mkdir(mode=0o700)
    daemon.names = {"b1": "My bot"}
    daemon.answers = {
        "stop": [{"ok": True, "state": "STOPPING", "written": True}],
        "halt": [{"ok": True, "halted": HALT, "not_written": None}],
        "resume": [{"ok": True, "was": HALT, "held": ["b2"]}],
        "unfinished": [unfinished(state="HELD")],
    }
    return daemon


def test_stop_waits_until_it_is_flat(execsvc: Execsvc, told: ControlSocket) -> None:
    told.answers["unfinished"] = [unfinished(LEFT), unfinished(LEFT), unfinished(state="HELD")]
    done = execsvc("stop", "My bot")
    assert done == (0, "bot b1 is HELD and flat\n", "")
    assert told.told == [{"call": "stop", "bot_id": "b1"}]
    assert len(told.answers["unfinished"]) == 1


def test_stop_time_is_over_prints_the_open_position(execsvc: Execsvc, told: ControlSocket) -> None:
    told.answers["unfinished"] = [unfinished(LEFT, state="LIQUIDATING")]
    assert execsvc("stop", "b1", "--timeout", "0.1") == (75, LEFT_LINE + "\n", "")


def test_stop_position_that_nothing_closes_is_not_waited_for(
    execsvc: Execsvc, told: ControlSocket
) -> None:
    told.answers["unfinished"] = [unfinished(LEFT | {"going_on": False, "tracked": None})]
    done = execsvc("stop", "b1")
    assert done.code == 75
    assert "tracked unknown" in done.out


def test_stop_no_wait_returns_at_once(execsvc: Execsvc, told: ControlSocket) -> None:
    told.answers["unfinished"] = [unfinished(LEFT)]
    done = execsvc("stop", "b1", "--no-wait")
    assert done == (0, "bot b1 was told to stop, it is STOPPING\n", "")


def test_stop_json_prints_one_object(execsvc: Execsvc, told: ControlSocket) -> None:
    assert json.loads(execsvc("stop", "b1", "--json").out) == {
        "bot_id": "b1",
        "state": "HELD",
        "flat": True,
        "left": None,
    }
    told.answers["unfinished"] = [unfinished(LEFT, state="LIQUIDATING")]
    left = execsvc("stop", "b1", "--json", "--timeout", "0")
    assert left.code == 75
    assert json.loads(left.out)["left"] == LEFT


def test_stop_unlisted_bot_holds_nothing(execsvc: Execsvc, told: ControlSocket) -> None:
    told.answers["stop"] = [{"ok": True, "state": None, "written": True}]
    told.answers["unfinished"] = [unfinished()]
    assert execsvc("stop", "b1") == (0, "bot b1 is not listed and holds nothing\n", "")


def test_stop_not_recorded_exits_1(execsvc: Execsvc, told: ControlSocket) -> None:
    told.answers["stop"] = [{"ok": True, "state": "STOPPING", "written": False}]
    done = execsvc("stop", "b1")
    assert (done.code, done.out) == (1, "bot b1 is HELD and flat\n")
    assert done.err.startswith("execsvc: held.json cannot be written")


@pytest.mark.parametrize("bot", ["", "nobody", "\x1b"])
def test_stop_unknown_bot_is_wrong_usage(execsvc: Execsvc, told: ControlSocket, bot: str) -> None:
    done = execsvc("stop", bot)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert told.told == []


@pytest.mark.parametrize("command", [["stop", "b1"], ["resume"]])
def test_stop_without_a_daemon_exits_69(
    execsvc: Execsvc, state_dir: Path, command: list[str]
) -> None:
    state_dir.mkdir(mode=0o700)
    store_in(state_dir).halt().begin("by hand")
    done = execsvc(*command)
    assert (done.code, done.out, len(done.err.splitlines())) == (69, "", 1)
    assert store_in(state_dir).halt().current is not None


def test_halt_waits_until_all_are_flat(execsvc: Execsvc, told: ControlSocket) -> None:
    told.answers["unfinished"] = [unfinished(LEFT), unfinished()]
    done = execsvc("halt", "--reason", "the exchange lies")
    assert done.code == 0
    assert done.out.splitlines() == [
        "trading is halted since 2026-01-02T03:04:05.000Z: the exchange lies",
        "every bot has ended flat",
    ]
    assert told.told == [{"call": "halt", "reason": "the exchange lies"}]


def test_halt_prints_each_open_position(execsvc: Execsvc, told: ControlSocket) -> None:
    other = LEFT | {"bot_id": "b2", "name": None, "symbol": None, "tracked": None}
    told.answers["unfinished"] = [unfinished(LEFT, other)]
    done = execsvc("halt", "--timeout", "0.1")
    assert done.code == 75
    assert done.out.splitlines()[1] == LEFT_LINE
    assert "bot b2, unknown symbol, tracked unknown" in done.out.splitlines()[2]
    assert told.told == [{"call": "halt", "reason": None}]


def test_halt_no_wait_returns_at_once(execsvc: Execsvc, told: ControlSocket) -> None:
    told.answers["unfinished"] = [unfinished(LEFT)]
    done = execsvc("halt", "--no-wait")
    assert (done.code, done.out.splitlines()[1]) == (0, "every bot was told to stop")


def test_halt_json_prints_one_object(execsvc: Execsvc, told: ControlSocket) -> None:
    told.answers["unfinished"] = [unfinished(LEFT)]
    done = execsvc("halt", "--json", "--timeout", "0")
    assert (done.code, json.loads(done.out)) == (
        75,
        {"halted": HALT, "not_written": None, "flat": False, "left": [LEFT]},
    )


def test_halt_not_recorded_exits_1(execsvc: Execsvc, told: ControlSocket) -> None:
    told.answers["halt"] = [{"ok": True, "halted": HALT, "not_written": "no room"}]
    done = execsvc("halt")
    assert (done.code, done.err) == (1, "execsvc: a restart will trade again: no room\n")


def test_halt_without_a_daemon_holds_from_the_next_start(execsvc: Execsvc, state_dir: Path) -> None:
    state_dir.mkdir(mode=0o700)
    done = execsvc("halt", "--reason", "no more", "--json")
    assert done.code == 69
    assert "the halt holds from the next start on" in done.err
    current = store_in(state_dir).halt().current
    assert current is not None
    assert current.reason == "no more"
    assert json.loads(done.out)["halted"] == current.model_dump()


def test_halt_before_the_first_start_makes_the_state_directory(
    execsvc: Execsvc, state_dir: Path
) -> None:
    assert not state_dir.exists()
    done = execsvc("halt", "--reason", "not yet")
    assert (done.code, done.out) == (69, "")
    assert "the halt holds from the next start on" in done.err
    assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700
    current = store_in(state_dir).halt().current
    assert current is not None
    assert current.reason == "not yet"


def test_halt_state_directory_that_cannot_be_made_exits_78(
    execsvc: Execsvc, state_dir: Path
) -> None:
    state_dir.parent.joinpath("file").touch()
    done = execsvc("halt", "--state-dir", str(state_dir.parent / "file" / "state"))
    assert (done.code, done.out, len(done.err.splitlines())) == (78, "", 1)
    assert "EXECSVC_STATE_DIR" in done.err


def test_resume_ends_the_halt(execsvc: Execsvc, told: ControlSocket) -> None:
    done = execsvc("resume")
    assert done.code == 0
    assert done.out.splitlines() == [
        "trading goes on; it was halted since 2026-01-02T03:04:05.000Z: the exchange lies",
        "bot b2 stays HELD, see execsvc release",
    ]
    assert json.loads(execsvc("resume", "--json").out) == {"was": HALT, "held": ["b2"]}
    told.answers["resume"] = [{"ok": True, "was": None, "held": []}]
    assert execsvc("resume").out == "trading was not halted\n"
    told.answers["resume"] = [{"error": "trading stays halted: no"}]
    refused = execsvc("resume")
    assert (refused.code, refused.err) == (
        1,
        "execsvc: the daemon refuses: trading stays halted: no\n",
    )


def test_wait_daemon_gone_for_good_exits_69(
    execsvc: Execsvc, told: ControlSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "LONGEST_SILENCE", 0.1)
    told.answers["unfinished"] = [unfinished(LEFT)]
    told.gone_after = 2
    done = execsvc("halt")
    assert (done.code, len(done.err.splitlines())) == (69, 1)


def test_wait_on_a_terminal_shows_the_progress_until_ctrl_c(told: ControlSocket) -> None:
    told.answers["unfinished"] = [unfinished(LEFT | {"name": "x" * 300, "why": "y" * 300})]
    master, slave = pty.openpty()
    with (
        os.fdopen(master, "rb", buffering=0) as seen,
        subprocess.Popen(
            [sys.executable, "-m", "execsvc", "halt"],
            env=scrubbed(),
            stdout=subprocess.PIPE,
            stderr=slave,
        ) as halting,
    ):
        shown = b""
        while b"LIQUIDATING" not in shown:
            shown += seen.read(4096)
        assert shown.startswith(b"\r\x1b[Khalting: b1 is LIQUIDATING, yyy")
        assert len(shown.decode().split("\x1b[K")[1].rstrip("\r")) == 79
        halting.send_signal(signal.SIGINT)
        out, _ = halting.communicate(timeout=60)
        while b"goes on" not in shown:
            shown += seen.read(4096)
    assert (halting.returncode, out) == (130, b"")
    assert b"no longer waiting; the daemon goes on" in shown
    assert b"Traceback" not in shown
