"""Standard error as a channel, as long as it has a reader."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from typing import TYPE_CHECKING

from execsvc.clock import SYSTEM

if TYPE_CHECKING:
    from loguru import Record

STDERR = 2


class StandardError:
    """A line a record; lines of several processes do not mix, as each is one write."""

    def __init__(self, render: Callable[[Record], str]) -> None:
        self._render = render
        self._poll = select.poll()
        self._poll.register(STDERR, select.POLLOUT)
        self._read = True
        self._torn = False

    def deliver(self, record: Record, until: float) -> bool:
        """True once the line is written."""
        self._read = self._has_room(until if self._read else 0.0) and self._write(record, until)
        return self._read

    def _write(self, record: Record, until: float) -> bool:
        line = f"{self._render(record)}\n"
        # The next line must not be appended to one of which only a part could be written.
        data = (f"\n{line}" if self._torn else line).encode("utf-8", "backslashreplace")
        begun = False
        try:
            while data and (not begun or self._has_room(until)):
                # A pipe that is ready to be written has room for PIPE_BUF bytes.
                data = data[os.write(STDERR, data[: select.PIPE_BUF]) :]
                begun = True
        except OSError:
            pass
        self._torn = bool(data) and (begun or self._torn)
        return not data

    def _has_room(self, until: float) -> bool:
        return bool(self._poll.poll(max(until - SYSTEM.monotonic(), 0.0) * 1000))
