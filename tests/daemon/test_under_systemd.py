"""Behaviour of the program under systemd that can be seen without one."""

from __future__ import annotations

import os
import signal

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import all_hold, assert_over, rows


@pytest.mark.parametrize("ends", ["liquidate", "hold"])
def test_quit_ends_the_supervisor_at_once_and_says_where_it_was(
    daemon: Daemon, exchange: Exchange, ends: str
) -> None:
    """QUIT is what a watchdog sends to all processes of the unit."""
    exchange.list_bots(*rows(2))
    daemon.start(EXECSVC_ON_SHUTDOWN=ends)
    all_hold(daemon, 2)
    for process in reversed(daemon.family()):
        process.send(signal.SIGQUIT)
    assert daemon.wait() == -signal.SIGQUIT
    eventually(lambda: not daemon.family(), "every process ends by itself")
    assert "most recent call first" in daemon.log
    assert "supervisor.py" in daemon.log
    assert len(exchange.executed(side="sell")) == (2 if ends == "liquidate" else 0)
    daemon.start()
    all_hold(daemon, 2)
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=4)


def test_quit_to_one_bot_is_a_crash_that_was_cleaned_up(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    before = daemon.until_holding()
    os.kill(before["pid"], signal.SIGQUIT)
    eventually(lambda: exchange.executed(side="sell"), "it sells")
    eventually(lambda: daemon.until_holding()["pid"] != before["pid"], "it is restarted")
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_what_the_environment_has_from_the_file_may_change_in_the_file(
    daemon: Daemon, exchange: Exchange
) -> None:
    """``EnvironmentFile=`` and ``--env-file`` name the same file."""
    file = daemon.folder / "execsvc.env"
    file.write_text("EXECSVC_POLL_INTERVAL=600\nEXECSVC_TICK_INTERVAL=2\n")
    daemon.start("--env-file", str(file), EXECSVC_POLL_INTERVAL="600", EXECSVC_GONE_AFTER="700")
    assert daemon.status()["poll"]["interval_sec"] == 600
    file.write_text("EXECSVC_POLL_INTERVAL=300\nEXECSVC_GONE_AFTER=800\n")
    daemon.signal(signal.SIGHUP)
    eventually(lambda: daemon.status()["poll"]["interval_sec"] == 300, "it was read again")
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
