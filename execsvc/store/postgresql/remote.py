"""Interface of the records that several hosts share: rows as SQLite keeps them, written under a claim.

A row is the tuple of SQLite's rowid and then every column, in the order of the table's declaration in
``store/sqlite/bot/*.sql`` and ``store/sqlite/account/*.sql``. Its key is the tuple of the columns of the
declared primary key; of a table that declares none, the rowid alone. SQLite's own ``sqlite_sequence`` is such
a table as well, with the key ``(name,)``: without it AUTOINCREMENT would give a number twice.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, TypeAlias

SqliteValue: TypeAlias = "str | int | float | None"
Row: TypeAlias = "tuple[SqliteValue, ...]"
Kind: TypeAlias = Literal["bot", "account"]


class RowImage(NamedTuple):
    """The last state of one row that a transaction changed."""

    table: str
    """The table's name in SQLite."""
    key: Row
    row: Row | None
    """The rowid and all columns; None when the row was deleted."""


class Write(NamedTuple):
    """One durable transaction of one bot's or one account's records: recorded whole or not at all.

    At most one image of a row is in it, and rows are deleted before others are written.
    """

    write_id: str
    """A uuid4 in hex digits, never used twice."""
    kind: Kind
    owner: str
    """The bot_id or the key_id."""
    key_id: str
    """The account under whose claim the write is made; empty for a bot without one (paper)."""
    fence: int
    """The number of that claim; 0 without an account."""
    rows: tuple[RowImage, ...]


class Remote(Protocol):
    """The shared records, as the processes of one host reach them. One call at a time."""

    def write(self, write: Write) -> None:
        """Record ``write``; it is durable at the return.

        Raises ClaimLost when the claim or the host's lease is lost, WriteUnknown when the answer is lost
        (ask ``written`` before anything else is done with these records), LedgerUnavailable or LedgerFailed
        when certainly nothing was recorded.
        """
        ...

    def written(self, write_id: str) -> bool:
        """True when that write was recorded, within the last 7 days; False when it never will be.

        A write of that id that is still on its way is refused from then on. Raises LedgerUnavailable.
        """
        ...

    def read(self, kind: Kind, owner: str) -> dict[str, list[Row]]:
        """All rows by table, each list by rowid; {} without records. Raises LedgerUnavailable."""
        ...

    def owners(self, kind: Kind) -> list[str]:
        """All bots or accounts that have records. Raises LedgerUnavailable."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Keep ``content`` as the record ``name`` of the whole service. Raises what ``write`` raises.

        After WriteUnknown ``put`` may be called again: the later content stands.
        """
        ...

    def replace(self, name: str, former: bytes | None, content: bytes) -> bool:
        """As ``put``, if the record is still ``former`` (None: there is none). False when it is not.

        After WriteUnknown the record is to be read again.
        """
        ...

    def get(self, name: str) -> bytes | None:
        """The record ``name`` of the whole service; None when there is none. Raises LedgerUnavailable."""
        ...
