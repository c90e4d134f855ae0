"""Every wait of a runner: on its signals and its lifeline, with heartbeats as it waits."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

from execsvc.clock import monotonic
from execsvc.errors import StopRequested

LONGEST_SLICE = 5.0
"""Seconds after which even a long wait sends a heartbeat."""

SignalName = Literal["TERM", "INT", "USR2", "LIFELINE"]
_NAMES: dict[int, SignalName] = {
    signal.SIGTERM: "TERM",
    signal.SIGINT: "INT",
    signal.SIGUSR2: "USR2",
    # systemd sends it to all processes when the supervisor hangs, which then counts as gone.
    signal.SIGQUIT: "LIFELINE",
}


@dataclass(frozen=True)
class StopOrder:
    """The reason for which this process is to end, and whether it keeps its position."""

    signal: SignalName
    hold: bool


class UninterruptedBlocks(AbstractContextManager[None]):
    """Blocks, one within the other, that a stop does not cut short; true within one."""

    def __init__(self) -> None:
        self._depth = 0

    def __bool__(self) -> bool:
        return self._depth > 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        self._depth -= 1


class Waits:
    """Waits that a stop can cut short.

    ``wakeup`` is the read end of the signal wake-up pipe, ``lifeline`` ends when the supervisor
    does. ``beat`` sends a heartbeat and returns when the next one is due; it is called at least
    every few seconds.
    """

    def __init__(
        self, wakeup: int, lifeline: int, hold_when_orphaned: bool, beat: Callable[[], float | None]
    ) -> None:
        self._wakeup = wakeup
        self._lifeline = lifeline
        self._hold_when_orphaned = hold_when_orphaned
        self._beat = beat
        self._poll = select.poll()
        self._poll.register(wakeup, select.POLLIN)
        self._poll.register(lifeline, select.POLLIN)
        self._uninterrupted = UninterruptedBlocks()
        self._decided = False
        self.stop: StopOrder | None = None
        self.orphaned = False

    def wait(self, seconds: float, interruptible: bool = True) -> None:
        """Wait ``seconds``. Raises StopRequested at once when a stop is or was asked for."""
        until = monotonic() + seconds
        while True:
            patience = self._beat() or LONGEST_SLICE
            self.handle_signals(max(0.0, min(until - monotonic(), patience)), interruptible)
            if monotonic() >= until:
                return

    def handle_signals(self, seconds: float = 0.0, interruptible: bool = True) -> None:
        """Handle the signals that come within ``seconds``.

        Raises StopRequested if a stop may interrupt.
        """
        interruptible = interruptible and not self._uninterrupted
        if not (interruptible and self.stop):
            for descriptor, _ in self._poll.poll(seconds * 1000):
                self._take(descriptor)
        if interruptible and self.stop:
            raise StopRequested(self.stop.signal)

    def uninterrupted(self) -> UninterruptedBlocks:
        """A block that a stop does not cut short: an order under way, or the stop itself."""
        return self._uninterrupted

    def heartbeat(self, interruptible: bool) -> None:
        """Send a heartbeat and handle signals; called during a wait on the network."""
        self.handle_signals(0.0, interruptible)
        self._beat()

    def hold_asked_within(self, seconds: float) -> bool:
        """True when this stop turns out to be one that holds, within ``seconds``.

        That is then decided: a stop under way is not changed by a later signal.
        A signal to the whole group reaches runners before the supervisor can say that the
        service is to hold; selling at once would be too early then.
        """
        until = monotonic() + seconds
        while self.stop is not None and not self.stop.hold and monotonic() < until:
            self.handle_signals(max(until - monotonic(), 0.0), interruptible=False)
        self._decided = True
        return self.stop is not None and self.stop.hold

    def _take(self, descriptor: int) -> None:
        if descriptor == self._wakeup:
            for number in os.read(self._wakeup, 256):
                if number in _NAMES:
                    self._asked(_NAMES[number])
        elif not os.read(self._lifeline, 1):
            self._poll.unregister(self._lifeline)
            self.orphaned = True
            self._asked("LIFELINE")

    def _asked(self, name: SignalName) -> None:
        if name == "USR2":
            hold = True
        elif name == "LIFELINE" or self.orphaned:
            hold = self._hold_when_orphaned
        else:
            hold = False
        if self.stop is None or (hold and not self.stop.hold and not self._decided):
            self.stop = StopOrder(name, hold)
