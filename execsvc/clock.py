"""The only place that reads time.

Records carry aware UTC, which may be set at any time. Durations are measured on CLOCK_BOOTTIME,
which cannot be set, which counts the time that the machine is suspended, and which is the same in
every process since boot. A duration that begins in one process and ends in another needs a
:class:`Moment`: both clocks, and the boot they were read in. The clocks are the machine's unless a
process has installed another one with :func:`installed`, as replay does.
"""

from __future__ import annotations

import functools
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple, Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """The source of a control loop's time."""

    def now(self) -> datetime:
        """Aware UTC, for records."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for durations."""
        ...

    def boot_id(self) -> str:
        """The id of the boot from which the monotonic seconds are counted."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Aware UTC, for records."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Seconds since boot, those of a suspended machine included; the same in every process."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot_id(self) -> str:
        """The kernel's id of this boot."""
        return _boot_id()


@functools.cache
def _boot_id() -> str:
    """The kernel's id of this boot; without one, an id that no other process has.

    Moments of such a process are wall time only.
    """
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return uuid.uuid4().hex


SYSTEM = SystemClock()
_clock: Clock = SYSTEM


class UnsetClock:
    """The wall time at its creation, and CLOCK_BOOTTIME from there on: a change of the clock has no
    effect.
    """

    def __init__(self, source: Clock = SYSTEM) -> None:
        self._source = source
        self._start = source.now()
        self._origin = source.monotonic()

    def now(self) -> datetime:
        """Aware UTC."""
        return self._start + timedelta(seconds=self.monotonic() - self._origin)

    def monotonic(self) -> float:
        """Monotonic seconds of its source."""
        return self._source.monotonic()

    def boot_id(self) -> str:
        """The boot id of its source."""
        return self._source.boot_id()


class SimulatedClock:
    """A clock that moves only by :meth:`advance`, exact to the microsecond.

    It begins at ``start`` (aware UTC) and ``monotonic`` seconds.
    """

    def __init__(self, start: datetime, monotonic: float = 0.0) -> None:
        self._start = start
        self._origin = monotonic
        self._microseconds = 0
        self._now = start

    def now(self) -> datetime:
        """Aware UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._origin + self._microseconds / 1e6

    def boot_id(self) -> str:
        """One id of a boot for as long as the clock is used."""
        return "simulated"

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass; a negative number lets no time pass."""
        self._microseconds += max(round(seconds * 1e6), 0)
        self._now = self._start + timedelta(microseconds=self._microseconds)


@contextmanager
def installed(clock: Clock) -> Iterator[None]:
    """Use ``clock`` in this process for the length of the block."""
    global _clock  # noqa: PLW0603 - the one thing that all of a process has to share
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before


def now() -> datetime:
    """Aware UTC of the clock of this process."""
    return _clock.now()


def monotonic() -> float:
    """Monotonic seconds of the clock of this process."""
    return _clock.monotonic()


class Moment(NamedTuple):
    """A time that is comparable in another process, for measuring durations.

    ``at`` is aware UTC, ``boottime`` CLOCK_BOOTTIME in seconds, ``boot_id`` the boot that it counts
    from. A moment of which only ``at`` is known has an empty ``boot_id``.
    """

    at: datetime
    boottime: float = 0.0
    boot_id: str = ""


def moment() -> Moment:
    """The present moment."""
    return Moment(_clock.now(), _clock.monotonic(), _clock.boot_id())


def moment_of(at: datetime) -> Moment:
    """``at`` by both clocks, for a time that was just read: before the clock can have been set."""
    here = moment()
    return here._replace(at=at, boottime=here.boottime - (here.at - at).total_seconds())


def seconds_since(past: Moment) -> float:
    """Seconds that have passed since ``past``, never less than 0.

    In the same boot by CLOCK_BOOTTIME, which a change of the wall clock does not affect. Else by
    the wall clocks of then and now.
    """
    here = moment()
    if past.boot_id == here.boot_id:
        return max(here.boottime - past.boottime, 0.0)
    return max((here.at - past.at).total_seconds(), 0.0)


def iso(moment: datetime) -> str:
    """``moment`` as ISO 8601 in UTC with milliseconds and a ``Z``.

    >>> iso(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc))
    '2026-01-02T03:04:05.000Z'
    """
    utc = moment.astimezone(timezone.utc)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """The aware UTC moment that :func:`iso` wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
