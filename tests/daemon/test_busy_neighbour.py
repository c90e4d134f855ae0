"""Another bot's ledger that another program has locked: a bot waits for it and is otherwise well."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing

from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.store_files import ledger_path

LOOKED = ("the positions of the account are unknown", "event=bot_crashed")


def test_busy_ledger_of_another_bot_crashes_nobody(daemon: Daemon, exchange: Exchange) -> None:
    """At a start what all bots of the account hold is compared with it; that can wait."""
    exchange.list_bots(bot_row(), bot_row("b2"))
    daemon.start()
    daemon.until_holding()
    daemon.until_holding("b2")
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    with closing(sqlite3.connect(ledger_path(daemon.state_dir, "b2"))) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("CREATE TABLE held_for_a_backup (a)")
        daemon.start()
        eventually(lambda: any(word in daemon.log for word in LOOKED), "the other bot has looked")
    for bot_id in ("b1", "b2"):
        eventually(lambda bot_id=bot_id: daemon.ticks(bot_id) > 3, "it ticks")
    assert "event=bot_crashed" not in daemon.log
    assert len(exchange.executed(side="sell")) == 0
    assert daemon.stop() == 0
