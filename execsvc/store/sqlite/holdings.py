"""What all bots of an account track of one asset, by their ledgers: the rest is the user's."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from execsvc.model.bot import Mode
from execsvc.model.market import ZERO, exact_sum
from execsvc.model.symbol import Symbol
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.bot_ledger import FOLDER, ledger_path
from execsvc.store.sqlite.database import query, reading


def tracked(state_dir: Path, key_id: str, asset: str) -> Decimal:
    """Base units of ``asset`` that bots track on the account ``key_id``, dust included.

    Raises LedgerFailed when one of the ledgers cannot be read: unknown is not zero.
    """
    return _tracked(sorted((state_dir / FOLDER).glob("*.db")), key_id, asset)


def tracked_by(state_dir: Path, bot_ids: Iterable[str], key_id: str, asset: str) -> Decimal:
    """As :func:`tracked`, of the bots ``bot_ids`` alone; one without a ledger tracks nothing."""
    paths = [ledger_path(state_dir, bot_id) for bot_id in bot_ids]
    return _tracked([path for path in paths if path.exists()], key_id, asset)


def _tracked(paths: Iterable[Path], key_id: str, asset: str) -> Decimal:
    total = ZERO
    for path in paths:
        with reading(path) as connection:
            found = query(
                connection,
                "SELECT symbol, tracked FROM position WHERE mode=? AND key_id=?",
                (Mode.LIVE.value, key_id),
            )
        for row in found:
            if Symbol.parse(row["symbol"]).base == asset:
                total = exact_sum(total, rows.amount(row["tracked"]))
    return total
