"""Another program holds the lock of a database for a while: it is waited for, and no bot is FAILED."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.store_files import journal_path, ledger_path
from support.verdicts import assert_flat, assert_over, states


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock the database against other writers for the length of the block."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def told(daemon: Daemon, bot_id: str) -> list[str]:
    """The log's lines about a ledger of the bot that is not available."""
    event = "event=ledger_unavailable"
    return [
        line for line in daemon.log.splitlines() if f"bot_id={bot_id} " in line and event in line
    ]


def waiting(daemon: Daemon) -> list[Any]:
    """The reasons that ``/health`` gives, when it is degraded by each of the two bots."""
    reasons: list[Any] = daemon.health()[1]["reasons"]
    return reasons if {"b1", "b2"} <= {reason.split()[1].rstrip(":") for reason in reasons} else []


@pytest.mark.timeout(300)
@pytest.mark.says("ledger_unavailable")
def test_a_lock_that_passes_costs_no_bot_its_position_or_its_life(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.fund("k2")
    turning = {"loop_count": 0, "hold_duration": 1, "allocation_ratio": "0.01"}
    exchange.list_bots(bot_row(), bot_row("b2", key="k2", params=turning))
    daemon.start()
    daemon.until_holding("b1")
    eventually(lambda: exchange.executed("k2", "sell"), "b2 trades", 60)
    journal = journal_path(daemon.state_dir, "k1")
    ledger = ledger_path(daemon.state_dir, "b2")
    with locked(journal), locked(ledger):
        exchange.stop_bot("b1")
        eventually(lambda: told(daemon, "b1") and told(daemon, "b2"), "both found it locked", 90)
        eventually(lambda: waiting(daemon), "it is shown", 90)
        assert not exchange.orders("k1", "sell"), "nothing is sold without a record"
        assert "FAILED" not in states(daemon).values()
        before = len(exchange.executed("k2"))
    daemon.until("STOPPED", "b1", 120)
    assert_flat(exchange, "k1")
    daemon.until("RUNNING", "b2", 120)
    eventually(lambda: len(exchange.executed("k2")) > before + 1, "b2 trades on", 120)
    eventually(lambda: daemon.health()[1]["status"] == "ok", "all is well again", 90)
    assert "event=bot_failed" not in daemon.log
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
    assert_flat(exchange, "k2")
