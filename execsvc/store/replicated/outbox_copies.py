"""The outboxes in the copies of this host: a row is delivered once the shared records have it.

A successor of this host goes on after the row that was delivered last: it must have that row.
"""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

from execsvc.errors import LedgerFailed
from execsvc.store.outbox import Mark, OutboxRow
from execsvc.store.postgresql.remote import Remote
from execsvc.store.replicated.copies import copy_of_bot
from execsvc.store.replicated.host_claims import HostClaims
from execsvc.store.replicated.replica import Replica
from execsvc.store.sqlite.database import has_table, query, reading
from execsvc.store.sqlite.paths import ledger_named
from execsvc.store.sqlite.service.outboxes import LedgerOutboxes

_UNSENT = (
    "SELECT order_id, kind FROM outbox WHERE seq IN "
    "(SELECT json_extract(key, '$[0]') FROM unsent WHERE name='outbox')"
)


class OutboxCopies(LedgerOutboxes):
    """The rows that wait in the copies of ``state_dir``. All methods but two raise LedgerFailed."""

    def __init__(self, state_dir: Path, remote: Remote, claims: HostClaims) -> None:
        super().__init__(state_dir)
        self._remote = remote
        self._claims = claims

    def waiting(self, name: str, after: Mark | None, most: int) -> tuple[list[OutboxRow], int]:
        """The first ``most`` rows after ``after``, and the count of all of them; none without a copy."""
        if self._unsent(name):
            with suppress(LedgerFailed):
                self._send(name)
        unsent = self._unsent(name)
        found, count = super().waiting(name, after, most)
        return [row for row in found if row.mark not in unsent], count - len(unsent)

    def _unsent(self, name: str) -> set[tuple[str, str]]:
        """The rows that the shared records lack."""
        path = ledger_named(self._state_dir, name)
        if not path.exists():
            return set()
        with reading(path) as connection:
            if not has_table(connection, "unsent"):
                return set()  # the copy is not made yet
            return {(row["order_id"], row["kind"]) for row in query(connection, _UNSENT)}

    def _send(self, name: str) -> None:
        """Record what the shared records lack of the bot, as its own process would after a while."""
        with reading(ledger_named(self._state_dir, name)) as connection:
            bot_id = query(connection, "SELECT bot_id FROM bot")[0]["bot_id"]
        copy = copy_of_bot(self._state_dir, bot_id)
        with closing(Replica(copy, self._remote, self._claims)) as replica:
            replica.begin()
            replica.settle()
            replica.send()
