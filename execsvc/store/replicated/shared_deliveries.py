"""The deliveries of this host's bots, with a record of each bot for the host that has the bot next.

The file of this host is asked first; its successor goes on by the shared record, which says how far the
rows of a bot were delivered, the ids of its open orders at BotService, and the sessions of its starts.
The record follows the file at once with a new id, else within seconds: a row may be delivered twice then.
That an order is about to be reported, and whether BotService takes reports, is known to this host alone.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from execsvc.clock import monotonic
from execsvc.errors import LedgerFailed
from execsvc.model.order_report import ReportKind
from execsvc.store.outbox import Mark
from execsvc.store.postgresql.remote import Remote
from execsvc.store.sqlite.database import query, transaction
from execsvc.store.sqlite.service.deliveries import DeliveriesFile

LONGEST_DELAY = 5.0
"""Seconds by which the record of a bot may be behind the file."""


class DeliveryRecord(BaseModel):
    """The deliveries of one bot."""

    host: str
    """The host that delivered last."""
    order_id: str
    kind: ReportKind
    at: str
    given: dict[str, str]
    """By open order, JSON of the id that BotService gave it."""
    sessions: dict[str, str]
    """By start, JSON of its session."""


class SharedDeliveries(DeliveriesFile):
    """The file of deliveries of this host, and the shared records of its bots."""

    def __init__(self, state_dir: Path, remote: Remote, host: str) -> None:
        super().__init__(state_dir)
        self._remote = remote
        self._host = host
        self._given: dict[str, dict[str, str]] = {}
        """By bot, the ids of its open orders."""
        self._late: dict[str, float] = {}
        """By bot whose record is behind, the monotonic second since when."""

    def close(self) -> None:
        """Bring the records up to the file, if that is possible, and close the file."""
        with suppress(LedgerFailed):
            self._send(set(self._late))
        super().close()

    def mark(self, name: str) -> Mark | None:
        """The row of the bot ``name`` that was delivered last, by whichever host; None before the first."""
        self._take_over(name)
        return super().mark(name)

    def delivered(self, name: str, mark: Mark, given: str | None, at: datetime) -> None:
        """Record that a row was delivered, and the id that BotService gave for it."""
        super().delivered(name, mark, given, at)
        ids = self._given.setdefault(name, {})
        if given is not None:
            ids[mark.order_id] = given
        elif mark.kind.is_last:
            ids.pop(mark.order_id, None)
        self._late.setdefault(name, monotonic() - (LONGEST_DELAY if given is not None else 0.0))
        self._send_late()

    def give_anew(self, order_id: str, given: str) -> None:
        """Record another id that BotService gave an order after it lost the first one."""
        super().give_anew(order_id, given)
        for name, ids in self._given.items():
            if order_id in ids:
                ids[order_id] = given
                self._late[name] = monotonic() - LONGEST_DELAY
        self._send_late()

    def keep_session(self, name: str, start: str, given: str) -> None:
        """Record the session of a start, as JSON."""
        super().keep_session(name, start, given)
        self._late[name] = monotonic() - LONGEST_DELAY
        self._send_late()

    def _send_late(self) -> None:
        """Bring the records up to the file that are behind for LONGEST_DELAY; without an answer, later."""
        late = {name for name, since in self._late.items() if monotonic() - since >= LONGEST_DELAY}
        with suppress(LedgerFailed):
            self._send(late)

    def _send(self, names: set[str]) -> None:
        for name in names:
            self._late[name] = monotonic()
            found = query(self._open, "SELECT * FROM mark WHERE stem=?", (name,))
            if found:
                sessions = query(self._open, "SELECT start, id FROM session WHERE stem=?", (name,))
                record = DeliveryRecord(
                    host=self._host,
                    order_id=found[0]["order_id"],
                    kind=found[0]["kind"],
                    at=found[0]["at"],
                    given=self._given.get(name, {}),
                    sessions={row["start"]: row["id"] for row in sessions},
                )
                self._remote.put(_name(name), record.model_dump_json().encode())
            del self._late[name]

    def _take_over(self, name: str) -> None:
        """Take the record of the bot into the file if another host has written it. Raises LedgerFailed."""
        content = self._remote.get(_name(name))
        if not content:
            return
        try:
            record = DeliveryRecord.model_validate_json(content)
        except ValidationError as error:
            raise LedgerFailed(f"the record of deliveries of {name} is unreadable") from error
        if record.host == self._host:
            self._given.setdefault(name, record.given)
            return
        with transaction(self._open) as tx:
            values = (name, record.order_id, record.kind.value, record.at)
            tx.execute("INSERT OR REPLACE INTO mark VALUES (?,?,?,?)", values)
            tx.executemany("INSERT OR REPLACE INTO given VALUES (?,?)", record.given.items())
            tx.execute("DELETE FROM session WHERE stem=?", (name,))
            sessions = ((name, start, given) for start, given in record.sessions.items())
            tx.executemany("INSERT INTO session VALUES (?,?,?)", sessions)
        self._given[name] = record.given
        self._late[name] = monotonic()


def _name(name: str) -> str:
    return f"deliveries {name}"
