"""The files of a state directory: a ledger for each bot, a journal for each account."""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path

BOTS = "bots"
ACCOUNTS = "accounts"
COPIES = "copies"
"""The folder of the copies of what hosts share: a ledger of a service alone is never taken for one."""


@functools.lru_cache(maxsize=4096)
def file_stem(identifier: str) -> str:
    """The file name, without suffix, of a bot's ledger or an account's journal.

    >>> file_stem("a/b")
    'a_b-c14cddc033f64b9d'
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", identifier)[:40]
    return f"{plain}-{hashlib.sha256(identifier.encode()).hexdigest()[:16]}"


def ledger_path(state_dir: Path, bot_id: str) -> Path:
    """The path of the ledger of ``bot_id``."""
    return ledger_named(state_dir, file_stem(bot_id))


def ledger_named(state_dir: Path, stem: str) -> Path:
    """The path of the ledger whose file has the name ``stem``, of any bot."""
    return state_dir / BOTS / f"{stem}.db"


def ledgers(state_dir: Path) -> list[Path]:
    """Every ledger, in the order of their names."""
    return sorted((state_dir / BOTS).glob("*.db"))


def journal_path(state_dir: Path, key_id: str) -> Path:
    """The path of the journal of the account ``key_id``."""
    return state_dir / ACCOUNTS / f"{file_stem(key_id)}.db"


def journals(state_dir: Path) -> list[Path]:
    """Every journal, in the order of their names."""
    return sorted((state_dir / ACCOUNTS).glob("*.db"))
