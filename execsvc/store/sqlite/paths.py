"""The files of a state directory: a ledger for each bot, a journal for each account."""

from __future__ import annotations

from pathlib import Path

from execsvc.model.bot import file_stem

BOTS = "bots"
ACCOUNTS = "accounts"


def ledger_path(state_dir: Path, bot_id: str) -> Path:
    """The path of the ledger of ``bot_id``."""
    return ledger_named(state_dir, file_stem(bot_id))


def ledger_named(state_dir: Path, stem: str) -> Path:
    """The path of the ledger whose file has the name ``stem``, whosever it is."""
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
