"""Simulated parts of a bot's process: its waits, its reports."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from execsvc.errors import StopRequested
from execsvc.model.position import Position
from execsvc.runner.counts import Counts
from execsvc.runner.report import Snapshot, shown
from execsvc.runner.waits import StopOrder, UninterruptedBlocks


class Timeline(Protocol):
    """A market whose time passes only by these calls."""

    def pass_time(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        ...

    def ends_within(self, seconds: float) -> bool:
        """As :meth:`pass_time`, but not beyond the end; True when that came first."""
        ...


class SimulatedWaits:
    """Waits that let the time of ``market`` pass; its end is their stop."""

    def __init__(self, market: Timeline) -> None:
        self._market = market
        self._uninterrupted = UninterruptedBlocks()
        self.stop: StopOrder | None = None

    def wait(self, seconds: float, interruptible: bool = True) -> None:
        """Let ``seconds`` pass. Raises StopRequested when the market ends before that."""
        if self.stop is None and interruptible:
            if self._market.ends_within(seconds):
                self.stop = StopOrder("TERM", hold=False)
        else:
            self._market.pass_time(seconds)
        self.handle_signals(0.0, interruptible)

    def handle_signals(self, seconds: float = 0.0, interruptible: bool = True) -> None:
        """Raise StopRequested when the market has ended, if a stop may interrupt."""
        if interruptible and not self._uninterrupted and self.stop is not None:
            raise StopRequested(self.stop.signal)

    def uninterrupted(self) -> UninterruptedBlocks:
        """A block that the end of the market does not cut short."""
        return self._uninterrupted

    def hold_asked_within(self, seconds: float) -> bool:
        """False: the end of a recording liquidates."""
        return False


class Observer(Protocol):
    """An observer of each tick of a bot."""

    def tick_ended(self) -> None:
        """Observe the end of a tick."""
        ...


class ReplayReporter:
    """A reporter without a supervisor; ``observer`` observes the end of each tick."""

    def __init__(self, observer: Observer | None = None) -> None:
        self._observer = observer
        self._snapshot = Snapshot()
        self._changes: dict[str, Any] = {}
        """Changes that are yet to be made to the snapshot."""
        self.counts = Counts()

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot with all changes."""
        if self._changes:
            self._snapshot = self._snapshot.model_copy(update=self._changes)
            self._changes = {}
        return self._snapshot

    @property
    def last_error(self) -> str | None:
        """The last error that was reported."""
        return self.snapshot.last_error

    def update(self, **changes: Any) -> None:
        """Change the snapshot."""
        self._changes.update(changes)

    def show_position(self, position: Position, **changes: Any) -> None:
        """Change the snapshot, with the position."""
        self.update(position=shown(position), **changes)

    def waiting_for_turn(self) -> AbstractContextManager[None]:
        """A block without effect: the account has no other bot."""
        return nullcontext()

    def ticked(self, began: float, unread: bool) -> None:
        """Have the tick observed; every read of a recording is answered."""
        if self._observer is not None:
            self._observer.tick_ended()

    def checked(self, judged: bool) -> None:
        """Do nothing: every read of the book is answered."""
