"""What all bots of an account track of one asset, by their ledgers: the rest is the user's."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from execsvc.ledger import rows
from execsvc.ledger.bot_ledger import FOLDER
from execsvc.ledger.database import query, reading
from execsvc.model.bot import Mode
from execsvc.model.market import ZERO, exact_sum


def tracked(state_dir: Path, key_id: str, asset: str) -> Decimal:
    """Base units of ``asset`` that bots track on the account ``key_id``, dust included.

    Raises LedgerFailed when one of the ledgers cannot be read: unknown is not zero.
    """
    total = ZERO
    for path in sorted((state_dir / FOLDER).glob("*.db")):
        with reading(path) as connection:
            found = query(
                connection,
                "SELECT symbol, tracked FROM position WHERE mode=? AND key_id=?",
                (Mode.LIVE.value, key_id),
            )
        for row in found:
            if row["symbol"].split("/")[0] == asset:
                total = exact_sum(total, rows.amount(row["tracked"]))
    return total
