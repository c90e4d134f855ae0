"""Starts that are refused with a line that says why, and how settings arrive."""

from __future__ import annotations

import signal
from pathlib import Path

from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import assert_over


def refused(daemon: Daemon, code: int, *arguments: str, **environ: str) -> list[str]:
    """The lines of a start that ends with ``code``."""
    done = daemon.command("run", *arguments, **environ)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


def test_a_second_supervisor_of_a_state_directory_is_refused(
    daemon: Daemon, exchange: Exchange, tmp_path: Path
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    before = daemon.until_holding()["pid"]
    (line,) = refused(daemon, 69, EXECSVC_RUNTIME_DIR=str(tmp_path / "run2"))
    assert str(daemon.state_dir) in line
    assert str(daemon.pid) in line
    (line,) = refused(daemon, 69, EXECSVC_STATE_DIR=str(tmp_path / "state2"))
    assert "another supervisor" in line
    assert daemon.bot()["pid"] == before
    assert daemon.command("status").returncode == 0, "the socket is still the first one's"
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_a_port_that_is_taken_is_refused(
    daemon: Daemon, exchange: Exchange, tmp_path: Path
) -> None:
    daemon.start()
    bind = f"127.0.0.1:{daemon.port}"
    (line,) = refused(
        daemon,
        69,
        EXECSVC_STATE_DIR=str(tmp_path / "state2"),
        EXECSVC_RUNTIME_DIR=str(tmp_path / "run2"),
        EXECSVC_HTTP_BIND=bind,
    )
    assert bind in line
    assert daemon.stop() == 0


def test_every_fault_of_the_configuration_has_a_line(daemon: Daemon) -> None:
    lines = refused(
        daemon,
        78,
        EXECSVC_POLL_INTERVAL="0",
        EXECSVC_HTTP_BIND="0.0.0.0:1",
        EXECSVC_ON_SHUTDOWN="maybe",
        EXECSVC_NO_SUCH_THING="1",
        EXECSVC_BOT_SERVICE_URL="ftp://x",
    )
    named = (
        "EXECSVC_POLL_INTERVAL",
        "EXECSVC_HTTP_BIND",
        "EXECSVC_ON_SHUTDOWN",
        "EXECSVC_NO_SUCH_THING",
        "EXECSVC_BOT_SERVICE_URL",
    )
    assert len(lines) == len(named)
    assert [name for name in named if sum(name in line for line in lines) == 1] == list(named)
    assert not daemon.state_dir.exists()


def test_a_token_is_never_shown_by_a_refusal(daemon: Daemon) -> None:
    lines = refused(daemon, 78, EXECSVC_HTTP_TOKEN="hush hush", EXECSVC_POLL_INTERVAL="x")
    assert len(lines) == 2
    assert "hush" not in "".join(lines)


def test_a_state_directory_that_others_may_read_is_refused_or_closed(
    daemon: Daemon, exchange: Exchange
) -> None:
    daemon.folder.joinpath("run").mkdir(mode=0o755)
    (line,) = refused(daemon, 78)
    assert str(daemon.folder / "run") in line


def test_settings_come_from_a_file_and_are_read_again_on_hup(
    daemon: Daemon, exchange: Exchange
) -> None:
    file = daemon.folder / "execsvc.env"
    moved = ("EXECSVC_BOT_SERVICE_URL", "EXECSVC_EXCHANGE_ADAPTER_URL", "EXECSVC_POLL_INTERVAL")
    given = {name: daemon.environ.pop(name) for name in moved}
    text = "".join(f'{name}="{value}"\n' for name, value in given.items())
    file.write_text("# settings\n" + text.replace("0.2", "600"))
    exchange.list_bots(bot_row())
    daemon.start("--env-file", str(file))
    before = daemon.until_holding()
    assert daemon.status()["poll"]["interval_sec"] == 600
    file.write_text(text + "EXECSVC_STATE_DIR=/nowhere\nEXECSVC_MAX_RESTARTS=9\n")
    daemon.signal(signal.SIGHUP)
    eventually(lambda: daemon.status()["poll"]["interval_sec"] == 0.2, "it was read again")
    exchange.list_bots(bot_row("b1"), bot_row("b2"))
    daemon.until_holding("b2")
    assert "EXECSVC_MAX_RESTARTS" in daemon.log, "only a restart changes it"
    file.write_text(text + "EXECSVC_POLL_INTERVAL=never\n")
    daemon.signal(signal.SIGHUP)
    eventually(lambda: "settings are kept" in daemon.log, "a faulty file is refused")
    assert daemon.bot("b1")["pid"] == before["pid"]
    assert daemon.status()["poll"]["interval_sec"] == 0.2
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_a_token_is_wanted_and_never_shown(daemon: Daemon, exchange: Exchange) -> None:
    daemon.environ["EXECSVC_BOT_SERVICE_TOKEN"] = "open-sesame-1"
    daemon.environ["EXECSVC_HTTP_TOKEN"] = "open-sesame-2"
    exchange.list_bots(bot_row())
    daemon.start(wait=False)

    def ready() -> bool:
        return daemon.process.poll() is None and bool(daemon.port) and daemon.get("/health").ok

    eventually(ready, "it answers")
    assert daemon.get("/status").status_code == 401
    assert daemon.post("/poll").status_code == 401
    bearer = {"Authorization": "Bearer open-sesame-2"}
    eventually(exchange.orders, "it trades")
    status = daemon.get("/status", headers=bearer)
    assert status.status_code == 200
    assert daemon.post("/poll", headers=bearer).status_code == 202
    titles = "\n".join(process.title for process in daemon.family())
    assert daemon.stop() == 0
    assert "open-sesame" not in daemon.log + status.text + titles
    sent = exchange.call("GET", "/sandbox/requests")["listings"][-1]["authorization"]
    assert sent == "Bearer open-sesame-1"
