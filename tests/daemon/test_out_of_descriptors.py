"""A supervisor that may open nothing more: whoever trades goes on, and the others wait."""

from __future__ import annotations

import resource
from pathlib import Path

import psutil
import pytest
from support import processes
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import assert_over, listed_again, rows


def leave(daemon: Daemon, free: int | None) -> None:
    """Let the supervisor open ``free`` descriptors more, and no other; None: as many as ever."""
    process = psutil.Process(daemon.pid)
    _, hard = process.rlimit(resource.RLIMIT_NOFILE)
    if free is None:
        process.rlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return
    taken = {int(path.name) for path in Path(f"/proc/{daemon.pid}/fd").iterdir()}
    highest = next(n for n in range(10_000) if n - len([t for t in taken if t < n]) == free)
    process.rlimit(resource.RLIMIT_NOFILE, (highest, hard))


@pytest.mark.parametrize("free", [0, 4, 8])
def test_bots_that_cannot_be_started_cost_no_other_its_position(
    daemon: Daemon, exchange: Exchange, free: int
) -> None:
    first, *others = rows(6)
    exchange.list_bots(first)
    daemon.start(EXECSVC_REQUEST_TIMEOUT="5")
    held = daemon.until_holding("b0")
    listed_again(exchange, 2)  # the listing child lives
    leave(daemon, free)
    exchange.list_bots(first, *others)
    eventually(lambda: "fork_failed" in daemon.log, "a fork fails")
    fit = {0: 1, 4: 1, 8: 4}[free]
    eventually(lambda: len(exchange.orders(side="buy")) >= fit, "those that fit have bought")
    listed_again(exchange, 4)
    assert daemon.process.poll() is None
    assert processes.is_alive(held["pid"])
    assert not exchange.orders(side="sell")
    assert len(exchange.orders(side="buy")) == fit
    leave(daemon, None)
    eventually(lambda: len(exchange.orders(side="buy")) == 6, "the others are started", 60)
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=6)
