"""Retries of the steps of a stop while the bot's records cannot be read or written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

from execsvc.clock import monotonic
from execsvc.errors import LedgerUnavailable, StopRequested
from execsvc.execution.liquidation import LONGEST_BACKOFF
from execsvc.logs import bound
from execsvc.repeats import Repeats
from execsvc.runner.services import RunnerServices

SHARE_OF_STOP = 0.8
"""The part of STOP_TIMEOUT for which a stop waits: the rest is for the steps after the wait."""


class Attempt(AbstractContextManager[None]):
    """One attempt at a step, as a block; LedgerUnavailable ends the block and is kept."""

    def __init__(self) -> None:
        self.fault: LedgerUnavailable | None = None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, LedgerUnavailable):
            self.fault = error
        return self.fault is not None


class Persistence:
    """Retries a step of a stop for as long as the stop has time.

    ``backoff`` [s] is waited before the second try, then doubling waits up to LONGEST_BACKOFF;
    ``stop_timeout`` [s] is what the whole stop may take.
    """

    def __init__(self, services: RunnerServices, backoff: float, stop_timeout: float) -> None:
        self._ledger = services.ledger
        self._waits = services.waits
        self._reporter = services.reporter
        self._backoff = backoff
        self._patience = stop_timeout * SHARE_OF_STOP
        self._until: float | None = None
        self._repeats = Repeats()

    def attempts(self) -> Iterator[Attempt]:
        """Attempts at one step, one after the other until a block raises no LedgerUnavailable.

        Time is counted from the first call, over all steps of one stop; once it is over
        LedgerUnavailable is raised. The step must be one that may be begun anew. Raises
        StopRequested when the process is asked to end without selling.
        """
        if self._until is None:
            self._until = monotonic() + self._patience
        pause = self._backoff
        while True:
            self._ledger.make_room()
            attempt = Attempt()
            yield attempt
            if attempt.fault is None:
                return
            self._reporter.update(last_error=str(attempt.fault), liquidation_failed=True)
            if monotonic() + pause >= self._until:
                raise attempt.fault
            self._log(attempt.fault)
            self._waits.wait(pause, interruptible=False)
            if self._waits.stop is not None and self._waits.stop.hold:
                raise StopRequested(self._waits.stop.signal)
            pause = min(2 * pause, LONGEST_BACKOFF)

    def _log(self, fault: LedgerUnavailable) -> None:
        if self._repeats.note(str(fault), monotonic()) is not None:
            event = bound(bot_id=self._ledger.bot_id).bind(event="ledger_unavailable")
            event.warning("{}; nothing can be sold without a record, it is tried again", fault)
