"""The delivery of a record: a channel takes the record in time, or the record is counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from loguru import logger

from execsvc.clock import SYSTEM

if TYPE_CHECKING:
    from loguru import Record

LONGEST_DELIVERY = 0.2
"""Seconds for which the delivery of a record may delay its process, over all channels."""


class LogChannel(Protocol):
    """Takes a record, or returns that it did not; it raises nothing."""

    def deliver(self, record: Record, until: float) -> bool:
        """True once ``record`` is taken.

        Waits for that no longer than ``until``, monotonic seconds. A channel that did not take a
        record in time is not waited for again before it takes one.
        """
        ...


class Output:
    """Gives each record to the first channel that takes it.

    A log without a reader (closed pipe, full disk) ends no process, and one that is not read at
    present (a pipe that is full, a journald that hangs) delays none: a record that no channel takes
    is left out, and counted.
    """

    def __init__(self, channels: Sequence[LogChannel]) -> None:
        self._channels = channels
        self._left_out = 0

    def write(self, record: Record) -> None:
        """Deliver ``record``, and before it a record about those that were left out."""
        until = SYSTEM.monotonic() + LONGEST_DELIVERY
        if self._left_out and self._deliver(_missing(record, self._left_out), until):
            self._left_out = 0
        if self._left_out or not self._deliver(record, until):
            self._left_out += 1

    def _deliver(self, record: Record, until: float) -> bool:
        return any(channel.deliver(record, until) for channel in self._channels)


def _missing(record: Record, count: int) -> Record:
    text = f"{count} lines were left out: no reader took them"
    missing: Any = {
        **record,
        "level": logger.level("WARNING"),
        "message": text,
        "exception": None,
        "extra": {"event": "lines_left_out"},
    }
    found: Record = missing
    return found
