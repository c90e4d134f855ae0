"""The delivery of a record: a channel takes it in time, or it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from loguru import logger

from execsvc.clock import SYSTEM
from execsvc.logs.channel import Channel

if TYPE_CHECKING:
    from loguru import Record

PATIENCE = 0.2
"""Seconds that a record may hold its process up, over all channels."""


class Output:
    """Gives each record to the first channel that takes it.

    A log without a reader (closed pipe, full disk) ends no process, and one that is not read at
    present (a pipe that is full, a journald that hangs) delays none: a record that no channel takes
    is left out, and counted.
    """

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = channels
        self._left_out = 0

    def write(self, record: Record) -> None:
        """Deliver ``record``, and before it a record about those that were left out."""
        until = SYSTEM.monotonic() + PATIENCE
        if self._left_out and self._deliver(_missing(record, self._left_out), until):
            self._left_out = 0
        if self._left_out or not self._deliver(record, until):
            self._left_out += 1

    def _deliver(self, record: Record, until: float) -> bool:
        return any(channel.deliver(record, until) for channel in self._channels)


def _missing(record: Record, count: int) -> Record:
    said = f"{count} lines were left out: no reader took them"
    missing: Any = {
        **record,
        "level": logger.level("WARNING"),
        "message": said,
        "exception": None,
        "extra": {"event": "lines_left_out"},
    }
    found: Record = missing
    return found
