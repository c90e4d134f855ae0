"""Failpoints: the points on the way of an order and of a stop at which a test lets a process die.

They have no effect, unless a test watches: it kills the process there, and checks whether a
successor recovers. A new step on one of the ways gets a point of its own here, and the test that
goes through all of them fails until it has been reached.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class Failpoint(str, Enum):
    """A point between two steps, at which a process may die."""

    TURN_TAKEN = "the account's turn is taken, nothing is recorded"
    CONNECTED = "the order's connection is made, nothing is recorded"
    BEFORE_COMMIT = "a transaction is written, not committed"
    AFTER_COMMIT = "a transaction is on the disk"
    BEFORE_SEND = "the intent is recorded, the request not sent"
    AFTER_SEND = "the request has ended, its outcome is not recorded"
    SETTLING = "a balance was read to settle an unknown outcome"
    STOP_BEGUN = "a stop is requested, nothing is done"
    ON_STOP_ENDED = "the strategy's on_stop has ended"
    LIQUIDATION_ATTEMPT = "an attempt to sell, or the next part of one, begins"
    FLAT = "the ledger is flat, the supervisor is not informed"


_watcher: Callable[[Failpoint], None] | None = None


def hit(failpoint: Failpoint) -> None:
    """Report that this process is at ``failpoint``."""
    if _watcher is not None:
        _watcher(failpoint)


def watch(watcher: Callable[[Failpoint], None] | None) -> None:
    """Call ``watcher`` at every point that this process passes; for tests."""
    global _watcher  # noqa: PLW0603 - one process, one watcher
    _watcher = watcher
