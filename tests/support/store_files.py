"""The files of a store, for tests that damage, lock, fill or copy them as an accident would.

Tests of what a service does with sound records open its store (:mod:`support.stores`). Here is also what
a test reads of the files that no protocol tells, as no part of the service asks for it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from execsvc.model.order import OrderState
from execsvc.store.account_store import AccountStore
from execsvc.store.bot_state import LogRow
from execsvc.store.bot_store import BotStore
from execsvc.store.sqlite import machine
from execsvc.store.sqlite.account.account_tables import AccountTables
from execsvc.store.sqlite.ballast import NAME as BALLAST
from execsvc.store.sqlite.ballast import SIZE as BALLAST_SIZE
from execsvc.store.sqlite.bot.bot_tables import BotTables
from execsvc.store.sqlite.file_lock import SUPERVISOR_LOCK, FileLock
from execsvc.store.sqlite.paths import BOTS, file_stem, journal_path, ledger_path
from execsvc.store.sqlite.report_support import FILE as REPORTS
from execsvc.store.sqlite.service.account_locks import holder as account_holder
from execsvc.store.sqlite.service.account_locks import shared_folder
from execsvc.store.sqlite.service.halt import FILE as HALTED
from execsvc.store.sqlite.service.sent_alerts_file import FILE as ALERTS

__all__ = [
    "ALERTS",
    "BALLAST",
    "BALLAST_SIZE",
    "BOTS",
    "HALTED",
    "REPORTS",
    "account_holder",
    "change",
    "execution_logs",
    "file_stem",
    "intents",
    "journal_path",
    "kept_sessions",
    "ledger_path",
    "logged",
    "move_to_another_machine",
    "shared_folder",
    "strategy_state",
    "supervisor_lock",
    "this_machine",
    "tracked_on",
    "used_on",
]

this_machine = machine.this_machine
used_on = machine.recorded
"""The machine that a state directory was last used on."""


def move_to_another_machine(state_dir: Path) -> None:
    """Let the records say that they were last used on another machine."""
    machine.record(state_dir, "0" * 32)


def supervisor_lock(state_dir: Path) -> FileLock:
    """The lock that a supervisor has as long as it lives."""
    return FileLock(state_dir / SUPERVISOR_LOCK)


def change(records: BotStore | AccountStore, sql: str) -> None:
    """Change open records behind their back: as an older service leaves them, or as a fault does."""
    assert isinstance(records, (BotTables, AccountTables))
    records.connection.execute(sql)


def logged(bot: BotStore) -> list[LogRow]:
    """The execution log of a bot whose records are open, in a file or in memory."""
    assert isinstance(bot, BotTables)
    rows = bot.connection.execute("SELECT * FROM log ORDER BY seq").fetchall()
    return [LogRow(**{**dict(row), "data": json.loads(row["data"])}) for row in rows]


def intents(state_dir: Path, key_id: str) -> list[tuple[str, OrderState]]:
    """Every order that was ever recorded on an account, oldest first, and its state."""
    path = journal_path(state_dir, key_id)
    if not path.exists():
        return []
    found = _read(path, "SELECT client_order_id, state FROM intent ORDER BY seq")
    return [(order_id, OrderState(state)) for order_id, state in found]


def strategy_state(state_dir: Path, bot_id: str) -> dict[str, Any]:
    """The state that the strategy of a running bot has kept; empty before it kept any."""
    found = _read(ledger_path(state_dir, bot_id), "SELECT state FROM strategy_state")
    kept: dict[str, Any] = json.loads(found[0][0]) if found and found[0][0] else {}
    return kept


def kept_sessions(state_dir: Path) -> list[Any]:
    """The sessions that BotService has named, in the order of their records."""
    return [json.loads(row[0]) for row in _read(state_dir / REPORTS, "SELECT id FROM session")]


def tracked_on(state_dir: Path, key_id: str) -> Decimal:
    """The sum that all ledgers track on an account, also of what their bots ran under before."""
    tracked = Decimal(0)
    for path in (state_dir / BOTS).glob("*.db"):
        found = _read(path, "SELECT tracked FROM position WHERE key_id=?", key_id)
        tracked += sum((Decimal(row[0]) for row in found), Decimal(0))
    return tracked


def execution_logs(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Event and data of every row in the execution logs of all services below ``folder``."""
    for path in folder.rglob(f"{BOTS}/*.db"):
        try:
            rows = _read(path, "SELECT event, data FROM log")
        except sqlite3.DatabaseError:
            continue  # the test has damaged it
        for event, data in rows:
            yield event, json.loads(data)


def _read(path: Path, sql: str, *values: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql, values).fetchall()
