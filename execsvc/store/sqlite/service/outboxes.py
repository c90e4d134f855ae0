"""The outboxes of all bots, read only, by the stems of their ledgers' files."""

from __future__ import annotations

from pathlib import Path

from execsvc.clock import now
from execsvc.store.outbox import Mark, OutboxRow, Start
from execsvc.store.sqlite.bot import outbox, starts
from execsvc.store.sqlite.paths import file_stem, ledger_named, ledgers

_Signature = tuple[tuple[int, int] | None, ...]
_YOUNG = 0.02
"""Seconds within which two writes may leave the same time in the status of a file."""


class LedgerOutboxes:
    """The rows that wait in the ledgers of ``state_dir``. All methods but two raise LedgerFailed."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._signatures: dict[str, _Signature] = {}

    def name_of(self, bot_id: str) -> str:
        """The stem of the ledger's file."""
        return file_stem(bot_id)

    def changed(self) -> list[str]:
        """The ledgers that were written to since the last call, by any process.

        One that was written to just now is named by the next call as well: another write that leaves the
        same time and size would go unseen.
        """
        found = []
        moment = now().timestamp()
        for path in ledgers(self._state_dir):
            signature = tuple(_signature(p) for p in (path, path.with_name(f"{path.name}-wal")))
            if self._signatures.get(path.stem) != signature:
                self._signatures[path.stem] = signature
                found.append(path.stem)
            if any(seen and abs(moment - seen[0] / 1e9) < _YOUNG for seen in signature):
                del self._signatures[path.stem]
        return found

    def waiting(self, name: str, after: Mark | None, most: int) -> tuple[list[OutboxRow], int]:
        """The first ``most`` rows after ``after``, and the count of all of them; none without a ledger."""
        path = ledger_named(self._state_dir, name)
        return outbox.waiting(path, after, most) if path.exists() else ([], 0)

    def order_report(self, name: str, order_id: str) -> str:
        """JSON of the OrderReport that the outbox has."""
        return outbox.order_report(ledger_named(self._state_dir, name), order_id)

    def starts_since(self, name: str, order_id: str) -> list[Start]:
        """The start that the order belongs to and all later ones, the oldest first."""
        return starts.starts_since(ledger_named(self._state_dir, name), order_id)

    def starts_before(self, name: str, start: Start) -> list[Start]:
        """The starts before ``start``, the newest first."""
        return starts.starts_before(ledger_named(self._state_dir, name), start)

    def newest_start(self, name: str) -> Start | None:
        """The latest start; None when none is recorded."""
        return starts.newest_start(ledger_named(self._state_dir, name))


def _signature(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
