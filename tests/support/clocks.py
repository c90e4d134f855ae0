"""Clocks that a test sets: in this process, and in all processes that it forks."""

from __future__ import annotations

import mmap
import struct
from datetime import datetime, timedelta

from execsvc.clock import SYSTEM, SimulatedClock

HOUR = 3600.0


class SetClock(SimulatedClock):
    """A simulated clock whose wall time is set, and whose machine is started anew."""

    def __init__(self, start: datetime, monotonic: float = 1000.0) -> None:
        super().__init__(start, monotonic)
        self._ahead = timedelta(0)
        self._boots = 1

    def now(self) -> datetime:
        """Aware UTC, as it was set."""
        return super().now() + self._ahead

    def boot_id(self) -> str:
        """Another one after each boot."""
        return f"boot {self._boots}"

    def set_by(self, seconds: float) -> None:
        """Set the wall clock ahead, or back."""
        self._ahead += timedelta(seconds=seconds)

    def reboot(self, monotonic: float = 5.0) -> None:
        """The machine has booted; the wall clock went on."""
        self._start = self._now
        self._origin, self._microseconds = monotonic, 0
        self._boots += 1


class SharedClock:
    """The machine's clocks with a wall time that is set for every process forked by this one."""

    def __init__(self) -> None:
        self._ahead = mmap.mmap(-1, 16)

    def now(self) -> datetime:
        """Aware UTC, as it was set."""
        (seconds,) = struct.unpack_from("d", self._ahead, 0)
        return SYSTEM.now() + timedelta(seconds=seconds)

    def monotonic(self) -> float:
        """CLOCK_BOOTTIME, with what the machine has slept."""
        (slept,) = struct.unpack_from("d", self._ahead, 8)
        return SYSTEM.monotonic() + float(slept)

    def boot_id(self) -> str:
        """The machine's."""
        return SYSTEM.boot_id()

    def set_by(self, seconds: float) -> None:
        """Set the wall clock ahead of the machine's by so much, or back."""
        struct.pack_into("d", self._ahead, 0, seconds)

    def suspend(self, seconds: float) -> None:
        """The machine was suspended for so long: both clocks have gone on."""
        for place in (0, 8):
            (before,) = struct.unpack_from("d", self._ahead, place)
            struct.pack_into("d", self._ahead, place, before + seconds)
