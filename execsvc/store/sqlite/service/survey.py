"""The states in the ledgers, read-only: for the supervisor and the command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from execsvc.clock import now
from execsvc.errors import LedgerFailed
from execsvc.model.bot import Binding
from execsvc.model.position import Position
from execsvc.model.result import Result, utc_day
from execsvc.store.abandoned import Abandoned
from execsvc.store.bot_state import LedgerState, LogRow
from execsvc.store.doubt import Doubt
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.account import doubts
from execsvc.store.sqlite.bot import reentry, results
from execsvc.store.sqlite.bot.abandoned import abandoned_lately
from execsvc.store.sqlite.bot.booking import contested_keys
from execsvc.store.sqlite.bot.guards import tripped
from execsvc.store.sqlite.database import has_table, query, reading
from execsvc.store.sqlite.paths import journal_path, ledger_named, ledger_path, ledgers
from execsvc.store.tripped import DAILY_LOSS, STOP_LOSS, Tripped

_OPEN_ORDERS = (
    "SELECT (SELECT count(*) FROM intent WHERE bot_id=? AND adopted=0), "
    "(SELECT count(*) FROM intent WHERE bot_id=? AND state='CONTESTED')"
)


def read(state_dir: Path, bot_id: str) -> LedgerState | None:
    """The state in the ledger of ``bot_id``; None when it has none. Raises LedgerFailed."""
    path = ledger_path(state_dir, bot_id)
    return _read(state_dir, path) if path.exists() else None


def read_file(state_dir: Path, stem: str) -> LedgerState | None:
    """The state in the ledger whose file has this name, of any bot. Raises LedgerFailed."""
    path = ledger_named(state_dir, stem)
    return _read(state_dir, path) if path.exists() else None


def survey(state_dir: Path) -> tuple[list[LedgerState], dict[str, LedgerFailed]]:
    """Every readable ledger, and the unreadable ones with the reason, by file stem."""
    states: list[LedgerState] = []
    unreadable: dict[str, LedgerFailed] = {}
    for path in ledgers(state_dir):
        try:
            states.append(_read(state_dir, path))
        except LedgerFailed as error:
            unreadable[path.stem] = error
    return states, unreadable


def read_log(state_dir: Path, bot_id: str, after: int = 0) -> list[LogRow]:
    """The execution log of ``bot_id`` behind row ``after``, oldest first.

    Raises LedgerFailed, also when the bot has no ledger.
    """
    path = ledger_path(state_dir, bot_id)
    if not path.exists():
        raise LedgerFailed(f"bot {bot_id} has no ledger")
    with reading(path) as connection:
        found = query(connection, "SELECT * FROM log WHERE seq > ? ORDER BY seq", (after,))
        return [LogRow(**{**dict(row), "data": json.loads(row["data"])}) for row in found]


def _read(state_dir: Path, path: Path) -> LedgerState:
    with reading(path) as connection:
        bot = query(connection, "SELECT * FROM bot")
        if not bot:
            raise LedgerFailed(f"{path.name} names no bot")
        bound = None if bot[0]["mode"] is None else rows.binding_of(bot[0])
        pairs = [
            (rows.binding_of(row), rows.position_of(row))
            for row in query(connection, "SELECT * FROM position")
        ]
        contested_on = set(contested_keys(connection))
        binding, position = _place(pairs, bound)
        result = None if binding is None else _result(connection, binding)
        guards = _guards(connection)
        abandoned = _abandoned(connection)
    keys = contested_on | ({bound.key_id} if bound is not None else set())
    keys |= {pair[0].key_id for pair in pairs if not pair[1].is_flat}
    unsettled, contested, doubt = _in_journals(state_dir, bot[0]["bot_id"], keys)
    return LedgerState(
        bot_id=bot[0]["bot_id"],
        binding=binding,
        position=position,
        unsettled=unsettled,
        contested=contested,
        doubt=doubt,
        failing=bot[0]["failing_since"] is not None and not position.is_flat,
        result=result,
        daily_loss=guards.get(DAILY_LOSS),
        stop_loss=None if reentry.is_allowed(path) else guards.get(STOP_LOSS),
        abandoned=abandoned,
    )


def _place(
    pairs: list[tuple[Binding, Position]], bound: Binding | None
) -> tuple[Binding | None, Position]:
    """The open position with its binding, else the position under the binding of the last run."""
    held = [pair for pair in pairs if not pair[1].is_flat]
    current = [pair for pair in pairs if bound is not None and _same_place(pair[0], bound)]
    return held[0] if held else current[0] if current else (bound, Position())


def _result(connection: sqlite3.Connection, binding: Binding) -> Result | None:
    """The result; None also when it is unreadable: that must not make the position unknown."""
    try:
        return results.read(connection, binding, utc_day(now()))
    except LedgerFailed:
        return None


def _guards(connection: sqlite3.Connection) -> dict[str, Tripped]:
    """The tripped guards by name; none also when they are unreadable, which the bot's process handles."""
    try:
        found = tripped(connection) if has_table(connection, "guard") else []
    except LedgerFailed:
        return {}
    return {guard.guard: guard for guard in found}


def _abandoned(connection: sqlite3.Connection) -> list[Abandoned]:
    """The given-up positions; none also when they are unreadable: the position does not depend on them."""
    try:
        return abandoned_lately(connection, now())
    except LedgerFailed:
        return []


def _same_place(one: Binding, other: Binding) -> bool:
    return (one.mode, one.key_id, one.symbol) == (other.mode, other.key_id, other.symbol)


def _in_journals(state_dir: Path, bot_id: str, keys: set[str]) -> tuple[bool, int, str | None]:
    """True for an order of the bot not booked yet, the count of contested ones, and a doubt about it.

    ``keys`` are the account that the bot is bound to (it is never bound anew with an order unbooked)
    and those on which its ledger has contested orders.
    """
    unsettled, contested = 0, 0
    doubted: list[Doubt] = []
    for key_id in keys:
        path = journal_path(state_dir, key_id)
        if path.exists():
            with reading(path) as connection:
                row = query(connection, _OPEN_ORDERS, (bot_id, bot_id))[0]
                doubted += doubts.contested(connection, bot_id)
            unsettled += row[0]
            contested += row[1]
    return unsettled > 0, contested, doubted[0].text if doubted else None
