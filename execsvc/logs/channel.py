"""Interface of a destination of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from loguru import Record


class Channel(Protocol):
    """Takes a record, or returns that it did not; it raises nothing."""

    def deliver(self, record: Record, until: float) -> bool:
        """True once ``record`` is taken.

        Waits for that no longer than ``until``, monotonic seconds. A channel that did not take a
        record in time is not waited for again before it takes one.
        """
        ...
