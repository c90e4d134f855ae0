"""Whether BotService takes reports of orders, as the process that delivers them found out."""

from __future__ import annotations

from pathlib import Path

from execsvc.store.sqlite.database import has_table, query, reading
from execsvc.store.sqlite.patience import BUSY_SECONDS

FILE = "reports.db"
REFUSED = "refused"
"""Names the fact that BotService does not take reports, and what it answered."""


def verdict(state_dir: Path, patience: float = BUSY_SECONDS) -> bool | None:
    """True when it took one, False when it knows no such call, None when that was never tried.

    A file that another program has locked is waited for, ``patience`` seconds a statement. Raises
    LedgerFailed.
    """
    path = state_dir / FILE
    if not path.exists():
        return None
    with reading(path, patience) as connection:
        if has_table(connection, "fact", patience) and query(
            connection, "SELECT 1 FROM fact WHERE name=?", (REFUSED,), patience
        ):
            return False
        return True if query(connection, "SELECT 1 FROM mark LIMIT 1", (), patience) else None
