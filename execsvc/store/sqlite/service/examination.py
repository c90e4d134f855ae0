"""Readings of ledgers and journals for an examination of the service: nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from execsvc.errors import LedgerFailed
from execsvc.store.sqlite.account import doubts
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.bot.entries import newest_order
from execsvc.store.sqlite.database import query, reading
from execsvc.store.sqlite.paths import journal_path, journals, ledger_path, ledgers


def accounts(state_dir: Path) -> list[str]:
    """The accounts that have a journal, by key. Raises LedgerFailed."""
    keys = []
    for path in journals(state_dir):
        with reading(path) as connection:
            keys.append(query(connection, "SELECT key_id FROM account")[0]["key_id"])
    return keys


@contextmanager
def reading_account(state_dir: Path, key_id: str) -> Iterator[AccountJournal]:
    """The journal of ``key_id`` on a connection that cannot write. Raises LedgerFailed."""
    with reading(journal_path(state_dir, key_id)) as connection:
        yield AccountJournal(state_dir, key_id, connection)


def newest_known_order(state_dir: Path, bot_id: str) -> datetime | None:
    """The time of the newest order of ``bot_id`` that its ledger or a journal knows.

    None before the first. Raises LedgerFailed.
    """
    known = []
    with reading(ledger_path(state_dir, bot_id)) as connection:
        known.append(newest_order(connection))
    for path in journals(state_dir):
        with reading(path) as connection:
            known.append(doubts.known_order(connection, bot_id))
    return max((moment for moment in known if moment is not None), default=None)


def check(state_dir: Path, known: Collection[str]) -> dict[str, LedgerFailed]:
    """Damage that SQLite finds in files that open all the same, by folder and stem of the file.

    Ledgers whose stems are ``known`` to be unreadable are left out.
    """
    found = {}
    unknown = [path for path in ledgers(state_dir) if path.stem not in known]
    for path in (*unknown, *journals(state_dir)):
        try:
            with reading(path) as connection:
                result = query(connection, "PRAGMA quick_check(1)")[0][0]
        except LedgerFailed as error:
            found[f"{path.parent.name}/{path.stem}"] = error
            continue
        if result != "ok":
            damage = LedgerFailed(f"{path.name} is damaged: {result}")
            found[f"{path.parent.name}/{path.stem}"] = damage
    return found
