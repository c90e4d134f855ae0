"""The records that this host has no copy of: read from the shared records, and shown as files are.

The questions about a bot are asked of SQLite files (:mod:`execsvc.store.sqlite.service.survey`). For the
length of a question the rows are written to files in a temporary directory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from execsvc.store.postgresql.remote import Remote
from execsvc.store.replicated.copies import accounts_of, copy_of_account, copy_of_bot


@contextmanager
def bots_elsewhere(remote: Remote, bot_ids: Collection[str]) -> Iterator[Path]:
    """A directory with the records of these bots and of their accounts. Raises LedgerFailed."""
    with tempfile.TemporaryDirectory(prefix="execsvc-") as folder:
        key_ids: set[str] = set()
        for bot_id in bot_ids:
            rows = remote.read("bot", bot_id)
            if rows:
                copy_of_bot(Path(folder), bot_id).write_apart(rows)
                key_ids |= accounts_of(rows)
        _write_accounts(Path(folder), remote, key_ids)
        yield Path(folder)


@contextmanager
def accounts_elsewhere(remote: Remote, key_ids: Collection[str]) -> Iterator[Path]:
    """A directory with the records of these accounts. Raises LedgerFailed."""
    with tempfile.TemporaryDirectory(prefix="execsvc-") as folder:
        _write_accounts(Path(folder), remote, key_ids)
        yield Path(folder)


def _write_accounts(folder: Path, remote: Remote, key_ids: Collection[str]) -> None:
    for key_id in key_ids:
        rows = remote.read("account", key_id)
        if rows:
            copy_of_account(folder, key_id).write_apart(rows)
