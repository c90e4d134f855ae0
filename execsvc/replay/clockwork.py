"""What takes the place of a process's surroundings: its waits, its supervisor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from execsvc.errors import StopRequested
from execsvc.replay.exchange import RecordedExchange
from execsvc.runner.reporter import Reporter
from execsvc.runner.waits import StopOrder, Waits


class SimulatedWaits(Waits):
    """Waits that let the simulated time pass; the end of the recording is their stop."""

    def __init__(self, exchange: RecordedExchange) -> None:
        self._exchange = exchange
        self._uninterrupted = 0
        self.stop: StopOrder | None = None
        self.orphaned = False

    def wait(self, seconds: float, interruptible: bool = True) -> None:
        """Let ``seconds`` pass. Raises StopRequested when the recording ends before that."""
        if self.stop is None and interruptible:
            if self._exchange.ends_within(seconds):
                self.stop = StopOrder("TERM", hold=False)
        else:
            self._exchange.pass_time(seconds)
        self.look(0.0, interruptible)

    def look(self, seconds: float = 0.0, interruptible: bool = True) -> None:
        """Raises StopRequested when the recording has ended, if it may."""
        if interruptible and not self._uninterrupted and self.stop is not None:
            raise StopRequested(self.stop.signal)

    def pulse(self, interruptible: bool) -> None:
        """There is no network to wait on."""
        self.look(0.0, interruptible)

    def hold_asked_within(self, seconds: float) -> bool:
        """The end of a recording liquidates."""
        return False


class TickCounter(Reporter):
    """Tells nobody; calls ``ticked`` where a supervisor would hear of a tick."""

    def __init__(self, ticked: Callable[[], None]) -> None:
        super().__init__(-1)
        self._ticked = ticked

    def update(self, **changes: Any) -> None:
        """Change the snapshot."""
        super().update(**changes)
        if "ticks" in changes:
            self._ticked()

    def beat(self) -> None:
        """Nobody listens."""

    def _send(self) -> None:
        """Nobody listens."""
