"""The times of a bot's ticks, and the handling of a tick's errors."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

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


class ControlLoop:
    """Calls one tick after the other, until a stop ends a wait with StopRequested.

    ``check`` is called between ticks that are more than LONGEST_UNCHECKED apart. It returns, as
    ``tick`` does, the error that did not end it, for ``/status``.
    """

    def __init__(
        self,
        services: RunnerServices,
        interval: float,
        tick: Callable[[], str | None],
        check: Callable[[], str | None] | None = None,
        remark: str | None = None,
    ) -> None:
        """``remark``: a fault of the bot that holds in each tick; shown while there is no other
        error.
        """
        self._remark = remark
        self._grid = Grid(services.bot_id, interval)
        self._tick = tick
        self._waits = services.waits
        self._record = services.record
        self._reporter = services.reporter
        self._repeats = Repeats()
        self._errors = 0
        self._check = check
        self._began = 0.0
        self._error: str | None = None

    def run(self) -> None:
        """Tick for ever. Raises StopRequested, StrategyGaveUp or LedgerFailed."""
        self._tick_once()
        due = self._grid.second(monotonic())
        while True:
            if self._check is not None:
                self._check_until(due, self._check)
            self._waits.wait(due - monotonic())
            self._tick_once()
            due = self._grid.after(max(due, monotonic()))

    def _check_until(self, due: float, check: Callable[[], str | None]) -> None:
        """Call ``check`` every LONGEST_UNCHECKED seconds since the last tick began, while ``due`` is
        far.
        """
        checked = self._began
        while due - checked > LONGEST_UNCHECKED:
            self._waits.wait(max(checked + LONGEST_UNCHECKED - monotonic(), 0.0))
            checked = monotonic()
            self._reporter.update(last_error=check() or self._error or self._remark)

    def _tick_once(self) -> None:
        began, since = now(), monotonic()
        self._began = since
        error: str | None = None
        result: TickResult = "ok"
        unread = False
        try:
            error = self._tick()
            self._errors = 0
        except GuardRefused as refusal:
            error = str(refusal)  # the guard has logged it when it tripped
        except Banned as fault:
            error, result, unread = str(fault), "skipped", True  # logged once, for all bots
        except (Unavailable, OrderRefused) as fault:
            error, result = str(fault), "skipped"
            unread = isinstance(fault, Unavailable)
            self._log_skipped(error)
        except LedgerFailed:
            raise
        except Exception as fault:  # noqa: BLE001 - a strategy may raise anything
            error, result = repr(fault), "failed"
            self._errors += 1
            text = f"strategy raised ({self._errors} in a row)"
            self._record.traceback("strategy_error", text, fault)
        self._error = error
        self._reporter.counts.tick(result, monotonic() - since)
        self._reporter.ticked(since, unread)
        self._reporter.update(
            ticks=self._reporter.snapshot.ticks + 1,
            last_tick_at=iso(began),
            consecutive_errors=self._errors,
            last_error=error or self._remark,
        )
        if self._errors >= MOST_ERRORS:
            raise StrategyGaveUp(f"strategy raised {self._errors} times in a row, last: {error}")

    def _log_skipped(self, error: str) -> None:
        count = self._repeats.note(error.split(":", maxsplit=1)[0], monotonic())
        if count is not None:
            times = f" ({count} times)" if count > 1 else ""
            self._record.log("WARNING", "tick_skipped", f"tick skipped: {error}{times}")
