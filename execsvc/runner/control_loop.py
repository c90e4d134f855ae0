"""The times of a bot's ticks, and the handling of a tick's errors."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from enum import Enum

from execsvc.clock import iso, monotonic, now
from execsvc.errors import Banned, GuardRefused, LedgerFailed, OrderRefused, Unavailable
from execsvc.repeats import Repeats
from execsvc.runner.counts import TickResult
from execsvc.runner.services import RunnerServices

MOST_ERRORS = 10
"""Exceptions of a strategy in a row after which its bot has FAILED."""
_CLEARLY = 0.01
_LEAST_GAP = 0.25
"""The second tick comes at least this part of an interval after the first."""
LONGEST_UNCHECKED = 5.0
"""Seconds [s] between two checks of a position that is watched between ticks as well, at most."""


class StrategyGaveUp(Exception):
    """The strategy raised ten times in a row."""


class Grid:
    """Tick times: a fixed grid without drift, at a phase of the bot's own.

    The phase spreads many bots over the interval. A tick that is late skips the times it
    missed, so ticks never bunch.
    """

    def __init__(self, bot_id: str, interval: float) -> None:
        self._interval = interval
        digest = hashlib.sha256(bot_id.encode()).digest()
        self._phase = int.from_bytes(digest[:4], "big") / 2**32

    def after(self, moment: float) -> float:
        """The first tick time clearly behind ``moment``, both monotonic seconds.

        Clearly: a moment that is a tick time itself, give or take a rounding, gives the next one.
        """
        turns = math.floor(moment / self._interval - self._phase + _CLEARLY) + 1
        return (turns + self._phase) * self._interval

    def second(self, first: float) -> float:
        """The tick time that follows a first tick at ``first``, which came off the grid."""
        return self.after(first + _LEAST_GAP * self._interval)


class LoopStep(Enum):
    """One step of a control loop."""

    TICK = "tick"
    CHECK = "check"
    """A check of the position between two ticks that are far apart."""


class Tick:
    """One tick after the other, each as a block; errors of a block are handled, counted and reported.

    ``remark`` is a fault of the bot that holds in each tick; shown while there is no other error.
    A block raises StopRequested, LedgerFailed and, after too many errors, StrategyGaveUp.
    """

    def __init__(self, services: RunnerServices, remark: str | None) -> None:
        self.began = 0.0
        """The begin of the latest tick, in monotonic seconds."""
        self.error: str | None = None
        """An error of the latest tick, to be set within the block if it does not end the tick."""
        self._remark = remark
        self._record = services.record
        self._reporter = services.reporter
        self._repeats = Repeats()
        self._errors = 0
        self._began_at = now()

    def __enter__(self) -> Tick:
        self._began_at, self.began = now(), monotonic()
        self.error = None
        return self

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> bool:
        result: TickResult = "ok"
        if fault is None:
            self._errors = 0
        elif isinstance(fault, LedgerFailed) or not isinstance(fault, Exception):
            return False
        else:
            result = self._failed(fault)
        unread = isinstance(fault, Unavailable)
        self._reporter.counts.tick(result, monotonic() - self.began)
        self._reporter.ticked(self.began, unread)
        self._reporter.update(
            ticks=self._reporter.snapshot.ticks + 1,
            last_tick_at=iso(self._began_at),
            consecutive_errors=self._errors,
            last_error=self.error or self._remark,
        )
        if self._errors >= MOST_ERRORS:
            raise StrategyGaveUp(
                f"strategy raised {self._errors} times in a row, last: {self.error}"
            )
        return True

    def _failed(self, fault: Exception) -> TickResult:
        """Log ``fault``, unless it is logged elsewhere, and return what it makes of the tick."""
        self.error = str(fault)
        if isinstance(fault, GuardRefused):
            return "ok"  # the guard has logged it when it tripped
        if isinstance(fault, Banned):
            return "skipped"  # logged once, for all bots
        if isinstance(fault, (Unavailable, OrderRefused)):
            self._log_skipped(self.error)
            return "skipped"
        self.error = repr(fault)  # a strategy may raise anything
        self._errors += 1
        text = f"strategy raised ({self._errors} in a row)"
        self._record.traceback("strategy_error", text, fault)
        return "failed"

    def _log_skipped(self, error: str) -> None:
        count = self._repeats.note(error.split(":", maxsplit=1)[0], monotonic())
        if count is not None:
            times = f" ({count} times)" if count > 1 else ""
            self._record.log("WARNING", "tick_skipped", f"tick skipped: {error}{times}")


class ControlLoop:
    """The times of a bot's ticks, and of the checks of its position in between.

    ``checks``: the position is checked between ticks that are more than LONGEST_UNCHECKED apart.
    ``remark`` as of :class:`Tick`.
    """

    def __init__(
        self,
        services: RunnerServices,
        interval: float,
        remark: str | None = None,
        *,
        checks: bool = True,
    ) -> None:
        self.tick = Tick(services, remark)
        self._remark = remark
        self._grid = Grid(services.bot_id, interval)
        self._waits = services.waits
        self._reporter = services.reporter
        self._checks = checks

    def steps(self) -> Iterator[LoopStep]:
        """One step after the other, each when it is due, for ever. Raises StopRequested."""
        yield LoopStep.TICK
        due = self._grid.second(monotonic())
        while True:
            yield from self._checks_until(due)
            self._waits.wait(due - monotonic())
            yield LoopStep.TICK
            due = self._grid.after(max(due, monotonic()))

    def checked(self, error: str | None) -> None:
        """Report the ``error`` that a check found, else that of the last tick."""
        self._reporter.update(last_error=error or self.tick.error or self._remark)

    def _checks_until(self, due: float) -> Iterator[LoopStep]:
        """A check every LONGEST_UNCHECKED seconds since the last tick began, while ``due`` is far."""
        checked = self.tick.began
        while self._checks and due - checked > LONGEST_UNCHECKED:
            self._waits.wait(max(checked + LONGEST_UNCHECKED - monotonic(), 0.0))
            checked = monotonic()
            yield LoopStep.CHECK
