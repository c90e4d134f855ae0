"""The limit of processes is reached: bots run on, and a position that has to be closed is closed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from support import processes
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.environment import scrubbed
from support.exchange import Exchange
from support.requirements import as_another_user, require
from support.verdicts import assert_flat, assert_over, titled

SPARE = "execsvc: spare"


def hard_limit(daemon: Daemon) -> str:
    """The most processes that the supervisor may ask for."""
    for line in Path(f"/proc/{daemon.pid}/limits").read_text().splitlines():
        if line.startswith("Max processes"):
            return line.split()[3]
    raise AssertionError("this kernel names no limit of processes")


def leave(daemon: Daemon, most: str) -> None:
    """Let the supervisor start processes while its user has fewer than ``most``."""
    limit = ["prlimit", f"--pid={daemon.pid}", f"--nproc={most}:"]
    subprocess.run([*daemon.under, *limit], env=scrubbed(), check=True)


def is_told(daemon: Daemon) -> bool:
    """True when ``/health`` says that nothing can be forked."""
    health = daemon.health()[1]
    said = any(reason.startswith("no process can be started") for reason in health["reasons"])
    return said and health["status"] == "degraded"


@pytest.mark.timeout(300)
@pytest.mark.says("fork_failed")
def test_a_position_is_closed_where_nothing_can_be_forked(
    daemon: Daemon, exchange: Exchange
) -> None:
    require("another user")
    daemon.under = as_another_user(100_000 + os.getpid())
    exchange.fund("k2")
    rows = bot_row(), bot_row("b2", key="k2")
    exchange.list_bots(*rows)
    daemon.start()
    before = [daemon.until_holding(bot_id) for bot_id in ("b1", "b2")]
    eventually(lambda: titled(daemon, SPARE), "one waits")
    eventually(lambda: daemon.health()[1]["status"] == "ok", "all is well")
    hard = hard_limit(daemon)
    leave(daemon, "1")
    assert processes.kill(before[0]["pid"])
    eventually(lambda: "no process can be started" in str(daemon.bot()["last_error"]), "b1", 60)
    eventually(lambda: is_told(daemon), "it is known")
    assert not exchange.orders("k1", "sell"), "it is to go on, and is not sold"
    exchange.list_bots(rows[1])
    daemon.until("STOPPED", "b1", 90)
    assert_flat(exchange)
    assert daemon.bot("b2")["pid"] == before[1]["pid"]
    assert is_told(daemon), "nothing can be forked yet"
    leave(daemon, hard)
    eventually(lambda: titled(daemon, SPARE), "another one waits", 60)
    eventually(lambda: daemon.health()[1]["status"] == "ok", "all is well again", 60)
    exchange.list_bots(*rows)
    daemon.until_holding("b1", 60)
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
    assert_flat(exchange, "k2")


def test_a_spare_that_dies_is_replaced_and_hears_no_signal(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    held = daemon.until_holding()
    (first,) = eventually(lambda: titled(daemon, SPARE), "one waits")
    first.kill()
    eventually(lambda: not first.lives, "it is dead")
    (second,) = eventually(lambda: titled(daemon, SPARE), "another one waits", 60)
    assert second.pid != first.pid
    assert daemon.bot()["pid"] == held["pid"]
    eventually(lambda: daemon.health()[1]["status"] == "ok", "all is well")
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
