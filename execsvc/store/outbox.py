"""Rows that BotService is to be told of a bot's orders, and the starts they belong to."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from execsvc.model.told import Telling


class Mark(NamedTuple):
    """What names a row of an outbox, also when a power loss has made it be written again."""

    order_id: str
    telling: Telling


class OutboxRow(NamedTuple):
    """One thing to tell; ``body`` is JSON of ToldOrder or ToldExecution, else null."""

    mark: Mark
    body: str


class Start(NamedTuple):
    """One start; ``booting``: BotService was waiting for it, and opens a session when it is told."""

    start_id: str
    booting: bool


BEFORE_MARKS = Start("", booting=False)
"""The last of those by an older service, which writes no marks."""


class Outboxes(Protocol):
    """What waits in the records of all bots, read only, by the names of their records.

    Every method but the first two raises LedgerFailed.
    """

    def name_of(self, bot_id: str) -> str:
        """The name that the records of ``bot_id`` have here."""
        ...

    def changed(self) -> list[str]:
        """The records that were written to since the last call, by any process."""
        ...

    def waiting(self, name: str, after: Mark | None, most: int) -> tuple[list[OutboxRow], int]:
        """The first ``most`` rows behind ``after``, and how many there are; none without records.

        Records that do not have the row ``after`` are not those that were delivered from: all of
        their rows wait.
        """
        ...

    def order_told(self, name: str, order_id: str) -> str:
        """JSON of the ToldOrder that the outbox has."""
        ...

    def starts_since(self, name: str, order_id: str) -> list[Start]:
        """The start that the order belongs to and all later ones, the oldest first.

        What was ordered before the first mark belongs to BEFORE_MARKS.
        """
        ...

    def starts_before(self, name: str, start: Start) -> list[Start]:
        """The starts ahead of ``start``, the newest first."""
        ...

    def newest_start(self, name: str) -> Start | None:
        """The latest start; None when none was written down."""
        ...


class Deliveries(Protocol):
    """How far the outboxes were delivered to BotService, and the ids it gave; with one writer.

    Every method raises LedgerFailed when the record cannot be read or written.
    """

    def open(self) -> None:
        """Become the one writer.

        Raises LedgerBusy while the process of a dead supervisor still delivers.
        """
        ...

    def close(self) -> None:
        """Let others write."""
        ...

    def mark(self, name: str) -> Mark | None:
        """The row of the records ``name`` that was delivered last; None before the first."""
        ...

    def given(self, order_id: str) -> str:
        """JSON of the id that BotService gave the order."""
        ...

    def last_at(self) -> datetime | None:
        """When something was delivered last."""
        ...

    def delivered(self, name: str, mark: Mark, given: str | None, at: datetime) -> None:
        """Record that a row was delivered, and the id that BotService gave for it.

        Not durable: what a power loss takes is delivered again.
        """
        ...

    def session(self, name: str, start: str) -> str | None:
        """JSON of the session of a start, null where there is none; None when it is not known."""
        ...

    def keep_session(self, name: str, start: str, given: str) -> None:
        """Record the session of a start, as JSON."""
        ...

    def forget_session(self, name: str, given: str) -> None:
        """Record that BotService does not know a session any more, JSON as it was kept."""
        ...

    def give_anew(self, order_id: str, given: str) -> None:
        """Record another id that BotService gave an order, having lost the first one."""
        ...

    def has_sessions(self) -> bool:
        """True once BotService has named a session."""
        ...

    def is_of_use(self) -> bool:
        """True once BotService took a report or named a session."""
        ...

    def ask(self, order_id: str) -> bool:
        """Record that BotService is about to be told of an order; True when it was before.

        Not durable: after a power loss an order may be told twice.
        """
        ...

    def refused(self, why: str | None) -> None:
        """Record that BotService does not take reports, and its answer; None: that is not so."""
        ...

    def starting(self, bot_id: str, at: datetime) -> None:
        """Record that BotService is about to be told, ``at`` that moment, that the bot has started.

        Not durable: a machine takes longer to come up again than BotService to carry a start out.
        A lock is waited for no longer than SLICE, since a user waits for the start.
        """
        ...

    def start_answered(self, bot_id: str) -> None:
        """Record that BotService has carried that start out, or never will."""
        ...

    def unanswered_starts(self) -> dict[str, datetime]:
        """When starts were sent that were not answered, by bot."""
        ...
