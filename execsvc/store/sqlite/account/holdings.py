"""The quantity of one asset that all bots of an account track, by their ledgers; the user has the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from execsvc.model.bot import Mode
from execsvc.model.market import ZERO, Symbol, exact_sum
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.database import query, reading
from execsvc.store.sqlite.paths import ledger_path, ledgers


def tracked(state_dir: Path, key_id: str, asset: str) -> Decimal:
    """Base units of ``asset`` that bots track on the account ``key_id``, dust included.

    Raises LedgerFailed when one of the ledgers cannot be read: unknown is not zero.
    """
    return _tracked(ledgers(state_dir), key_id, asset)


def tracked_by(state_dir: Path, bot_ids: Iterable[str], key_id: str, asset: str) -> Decimal:
    """As :func:`tracked`, of the bots ``bot_ids`` alone; a bot without a ledger tracks nothing."""
    paths = [ledger_path(state_dir, bot_id) for bot_id in bot_ids]
    return _tracked([path for path in paths if path.exists()], key_id, asset)


def tracked_in(connection: sqlite3.Connection, key_id: str, asset: str) -> Decimal:
    """As :func:`tracked`, of one bot: the one of the database ``connection``."""
    found = query(
        connection,
        "SELECT symbol, tracked FROM position WHERE mode=? AND key_id=?",
        (Mode.LIVE.value, key_id),
    )
    held = [row["tracked"] for row in found if Symbol.parse(row["symbol"]).base == asset]
    return exact_sum(ZERO, *map(rows.amount, held))


def _tracked(paths: Iterable[Path], key_id: str, asset: str) -> Decimal:
    total = ZERO
    for path in paths:
        with reading(path) as connection:
            total = exact_sum(total, tracked_in(connection, key_id, asset))
    return total
