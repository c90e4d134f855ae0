"""The copies of the shared records in SQLite files: one of each bot and each account that this host needs.

A copy is filled in one transaction, whose last statement says for which claim and in which boot of the
machine it was made: a half-made copy has no such row, and one of an older claim is filled anew.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from execsvc.clock import moment
from execsvc.errors import LedgerFailed
from execsvc.store.postgresql.remote import Kind, Row
from execsvc.store.replicated import capture
from execsvc.store.replicated.sent_write import SUFFIX as SENT
from execsvc.store.sqlite import faults
from execsvc.store.sqlite.account import doubts, fees, locked
from execsvc.store.sqlite.bot import abandoned, bot_tables
from execsvc.store.sqlite.database import (
    VERSION,
    FencedConnection,
    create,
    has_table,
    open_writable,
    query,
    reading,
    script,
)
from execsvc.store.sqlite.lock_wait import retry_while_locked
from execsvc.store.sqlite.paths import journal_path, journals, ledger_path, ledgers


class CopyClaim(NamedTuple):
    """The claim under which a copy was made."""

    key_id: str
    """The account; empty for a bot without one."""
    fence: int


NO_ACCOUNT = CopyClaim("", 0)
"""The claim of a bot that was never bound to an account."""


class CopyFacts(NamedTuple):
    """The facts of a whole copy."""

    claim: CopyClaim
    boot_id: str
    last_write: str


class Copy(NamedTuple):
    """The file of one bot or one account."""

    kind: Kind
    owner: str
    path: Path
    schema: str
    first: str
    """The statement that adds the first row, which names the owner."""
    owned_by: str
    """The query for the owner."""
    younger: tuple[str, ...]
    """The scripts of the tables that the first schema lacks: a copy has all of them from the beginning."""

    def connect(self) -> FencedConnection:
        """A connection to the file, which is made when there is none. Raises LedgerFailed."""
        create(self.path, self.schema, self.first, (self.owner,))
        connection = open_writable(self.path, self.owned_by, self.owner, FencedConnection)
        assert isinstance(connection, FencedConnection)
        schemas = "".join(script(schema) for schema in self.younger)
        try:
            retry_while_locked(lambda: capture.prepare(connection, schemas))
        except sqlite3.Error as error:
            connection.close()
            raise faults.failed(f"{self.path.name} cannot be opened", error) from error
        connection.waits_for_disk = False
        return connection

    def fill(
        self, connection: FencedConnection, rows: dict[str, list[Row]], claim: CopyClaim
    ) -> None:
        """Let the copy be what the shared records hold, within a transaction.

        The first row of an owner without records is to be sent with its first write.
        """
        capture.replace_all(connection, rows)
        capture.forget_unsent(connection)
        if not rows:
            connection.execute(self.first, (self.owner,))
        connection.execute(
            "INSERT OR REPLACE INTO copy_of VALUES (1,?,?,?,'')", (*claim, moment().boot_id)
        )

    def write_apart(self, rows: dict[str, list[Row]]) -> None:
        """Make a file of these rows that no claim is for, in a directory of its own. Raises LedgerFailed."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous=OFF")
                connection.execute("PRAGMA journal_mode=OFF")
                schemas = "".join(script(schema) for schema in (self.schema, *self.younger))
                connection.executescript(f"BEGIN; {schemas} PRAGMA user_version={VERSION};")
                capture.replace_all(connection, rows)
                connection.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise faults.failed(f"{self.path.name} cannot be made", error) from error

    def drop(self) -> None:
        """Remove the file, if it is there; no process of this host may have it open. Raises LedgerFailed."""
        names = [f"{self.path.name}{suffix}" for suffix in ("", "-wal", "-shm")]
        try:
            for name in (*names, self.path.with_suffix(SENT).name):
                with suppress(FileNotFoundError):
                    self.path.with_name(name).unlink()
        except OSError as error:
            raise faults.failed(f"{self.path.name} cannot be removed", error) from error


def copy_of_bot(state_dir: Path, bot_id: str) -> Copy:
    """The copy of the records of ``bot_id``."""
    return Copy(
        "bot",
        bot_id,
        ledger_path(state_dir, bot_id),
        "bot/bot_ledger.sql",
        "INSERT INTO bot (id, bot_id) VALUES (1, ?)",
        "SELECT bot_id FROM bot",
        (*bot_tables.YOUNGER, "bot/outbox.sql", "bot/starts.sql", abandoned.SCHEMA),
    )


def copy_of_account(state_dir: Path, key_id: str) -> Copy:
    """The copy of the records of the account ``key_id``."""
    return Copy(
        "account",
        key_id,
        journal_path(state_dir, key_id),
        "account/account_journal.sql",
        "INSERT INTO account VALUES (1, ?)",
        "SELECT key_id FROM account",
        ("account/account_buyers.sql", "moments.sql", fees.SCHEMA, locked.SCHEMA, doubts.SCHEMA),
    )


def facts(connection: sqlite3.Connection) -> CopyFacts | None:
    """The facts of the copy; None while it was never filled. Raises LedgerFailed."""
    found = query(connection, "SELECT key_id, fence, boot_id, last_write FROM copy_of")
    if not found:
        return None
    key_id, fence, boot_id, last_write = tuple(found[0])
    return CopyFacts(CopyClaim(key_id, fence), boot_id, last_write)


def claim_of(path: Path) -> CopyClaim:
    """The claim for which the copy at ``path`` was made; NO_ACCOUNT before. Raises LedgerFailed."""
    with reading(path) as connection:
        found = facts(connection) if has_table(connection, "copy_of") else None
    return NO_ACCOUNT if found is None else found.claim


def owner_of(path: Path) -> str:
    """The bot of the copy at ``path``. Raises LedgerFailed."""
    with reading(path) as connection:
        found = query(connection, "SELECT bot_id FROM bot")
    if not found:
        raise LedgerFailed(f"{path.name} names no bot")
    bot_id: str = found[0]["bot_id"]
    return bot_id


def is_current(connection: sqlite3.Connection, claim: CopyClaim) -> bool:
    """True for a copy that was made in this boot for this claim. Raises LedgerFailed."""
    found = facts(connection)
    return found is not None and found[:2] == (claim, moment().boot_id)


def binding_key(rows: dict[str, list[Row]]) -> str:
    """The account to which the bot of these rows is bound; empty before its first run."""
    found = rows.get("bot", [])
    return "" if not found or found[0][4] is None else str(found[0][4])


def accounts_of(rows: dict[str, list[Row]]) -> set[str]:
    """The accounts on which the bot of these rows is bound, has a position, or had an order."""
    bound = {binding_key(rows)} - {""}
    return (
        bound
        | {str(row[2]) for row in rows.get("position", [])}
        | {str(row[3]) for row in rows.get("orders", [])}
    )


def bots_of(rows: dict[str, list[Row]]) -> list[str]:
    """The bots that ever had an order on the account of these rows."""
    return sorted({str(row[3]) for row in rows.get("intent", [])})


def drop_all(state_dir: Path) -> None:
    """Remove every copy of this host; none of its processes may have one open. Raises LedgerFailed."""
    for path in (*ledgers(state_dir), *journals(state_dir)):
        Copy("bot", "", path, "", "", "", ()).drop()
