"""The finding of the reporting process on whether BotService takes reports of orders."""

from __future__ import annotations

from pathlib import Path

from execsvc.store.sqlite.database import has_table, query, reading
from execsvc.store.sqlite.lock_wait import BUSY_SECONDS

FILE = "reports.db"
REFUSED = "refused"
"""The name of the fact that BotService does not take reports; its value is the answer."""


def takes_reports(state_dir: Path, timeout: float = BUSY_SECONDS) -> bool | None:
    """True when BotService took a report, False when it knows no such call, None when none was tried.

    The wait for a file that another program has locked is ``timeout`` seconds a statement, at most.
    Raises LedgerFailed.
    """
    path = state_dir / FILE
    if not path.exists():
        return None
    with reading(path, timeout) as connection:
        if has_table(connection, "fact", timeout) and query(
            connection, "SELECT 1 FROM fact WHERE name=?", (REFUSED,), timeout
        ):
            return False
        return True if query(connection, "SELECT 1 FROM mark LIMIT 1", (), timeout) else None
