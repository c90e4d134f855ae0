"""Waits for a database whose lock another program holds, with heartbeats meanwhile."""

from __future__ import annotations

import select
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from execsvc.clock import SYSTEM
from execsvc.store.sqlite.faults import is_busy

BUSY_SECONDS = 10.0
"""Seconds that one statement waits for the lock."""
SLICE = 1.0
"""Seconds of BUSY_SECONDS that SQLite waits in one call, in which the process does nothing else."""
_PAUSE_MS = 20
_Result = TypeVar("_Result")


def _nothing() -> None:
    """The call during a wait in a process that sends no heartbeats."""


_meanwhile: Callable[[], object] = _nothing


def while_waiting(call: Callable[[], object]) -> None:
    """Have ``call`` called once a second while this process waits for a lock."""
    global _meanwhile  # noqa: PLW0603 - one process has one supervisor to send heartbeats to
    _meanwhile = call


def retry_while_locked(statement: Callable[[], _Result], timeout: float = BUSY_SECONDS) -> _Result:
    """The result of ``statement``, tried again for ``timeout`` seconds while the database is locked.

    Raises the last exception of ``statement``.
    """
    until = SYSTEM.monotonic() + timeout
    while True:
        try:
            return statement()
        except sqlite3.Error as error:
            if not is_busy(error) or SYSTEM.monotonic() >= until:
                raise
        _meanwhile()
        select.poll().poll(_PAUSE_MS)  # a pause, as SQLite does not wait for every kind of lock
