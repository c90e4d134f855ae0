"""Reports to BotService of a bot's orders that wait for delivery, and the starts they belong to."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from execsvc.model.order_report import ReportKind


class Mark(NamedTuple):
    """The name of a row of an outbox, valid also when the row is written again after a power loss."""

    order_id: str
    kind: ReportKind


class OutboxRow(NamedTuple):
    """One report to BotService; ``body`` is JSON of OrderReport or ExecutionReport, else null."""

    mark: Mark
    body: str


class Start(NamedTuple):
    """One start; ``booting``: BotService waited for it, and opens a session when it is reported."""

    start_id: str
    booting: bool


BEFORE_MARKS = Start("", booting=False)
"""The start that stands for all starts by an older service, which writes no marks."""


class Outboxes(Protocol):
    """The rows that wait in the records of all bots, read only, by the names of the records.

    Every method but the first two raises LedgerFailed.
    """

    def name_of(self, bot_id: str) -> str:
        """The name that the records of ``bot_id`` have here."""
        ...

    def changed(self) -> list[str]:
        """The records that were written to since the last call, by any process.

        Records that were written to just before a call may be named by the next one as well.
        """
        ...

    def waiting(self, name: str, after: Mark | None, most: int) -> tuple[list[OutboxRow], int]:
        """The first ``most`` rows after ``after``, and the count of all of them; none without records.

        Records without the row ``after`` are not the records that earlier rows were delivered from:
        all of their rows wait.
        """
        ...

    def order_report(self, name: str, order_id: str) -> str:
        """JSON of the OrderReport that the outbox has."""
        ...

    def starts_since(self, name: str, order_id: str) -> list[Start]:
        """The start that the order belongs to and all later ones, the oldest first.

        An order from before the first mark belongs to BEFORE_MARKS.
        """
        ...

    def starts_before(self, name: str, start: Start) -> list[Start]:
        """The starts before ``start``, the newest first."""
        ...

    def newest_start(self, name: str) -> Start | None:
        """The latest start; None when none is recorded."""
        ...


class Deliveries(Protocol):
    """The progress of the deliveries to BotService, and the ids that it gave; with one writer.

    Every method raises LedgerFailed when the record cannot be read or written. There is no fence beside
    that one writer: reports are made at least once, and a second writer would make one twice at worst.
    """

    def open(self) -> None:
        """Become the one writer.

        Raises LedgerBusy while the reporting process of a dead supervisor still delivers.
        """
        ...

    def close(self) -> None:
        """Let another process become the writer."""
        ...

    def mark(self, name: str) -> Mark | None:
        """The row of the records ``name`` that was delivered last; None before the first."""
        ...

    def given(self, order_id: str) -> str:
        """JSON of the id that BotService gave the order."""
        ...

    def last_at(self) -> datetime | None:
        """The time of the last delivery; None before the first."""
        ...

    def delivered(self, name: str, mark: Mark, given: str | None, at: datetime) -> None:
        """Record that a row was delivered, and the id that BotService gave for it.

        Not durable: a delivery whose record a power loss takes is made again.
        """
        ...

    def session(self, name: str, start: str) -> str | None:
        """JSON of the session of a start, null where there is none; None when it is not known."""
        ...

    def keep_session(self, name: str, start: str, given: str) -> None:
        """Record the session of a start, as JSON."""
        ...

    def forget_session(self, name: str, given: str) -> None:
        """Record that BotService does not know a session any more; ``given`` is the JSON as it was kept."""
        ...

    def give_anew(self, order_id: str, given: str) -> None:
        """Record another id that BotService gave an order after it lost the first one."""
        ...

    def has_sessions(self) -> bool:
        """True once BotService has named a session."""
        ...

    def is_of_use(self) -> bool:
        """True once BotService took a report or named a session."""
        ...

    def ask(self, order_id: str) -> bool:
        """Record that an order is about to be reported to BotService; True when it was recorded before.

        Not durable: after a power loss an order may be reported twice.
        """
        ...

    def refused(self, why: str | None) -> None:
        """Record that BotService does not take reports, and its answer; None deletes that record."""
        ...

    def starting(self, bot_id: str, at: datetime) -> None:
        """Record that a start of the bot is about to be reported to BotService, ``at`` that moment.

        Not durable: a machine takes longer to boot than BotService to carry out a start. The wait for
        a lock is SLICE at most, as a user waits for the start.
        """
        ...

    def start_answered(self, bot_id: str) -> None:
        """Record that BotService has carried out that start, or never will."""
        ...

    def unanswered_starts(self) -> dict[str, datetime]:
        """The times at which starts without an answer were sent, by bot."""
        ...
