"""A place that takes records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from loguru import Record


class Channel(Protocol):
    """Takes a record, or says that it did not; it raises nothing."""

    def deliver(self, record: Record, until: float) -> bool:
        """True once ``record`` is taken. Waits for that no longer than ``until``, monotonic seconds.

        Whoever did not take a record in time is not waited for again before it takes one.
        """
        ...
