"""A bot on a recording: the runner's code, all of it, with the services and exchange of a replay."""

from __future__ import annotations

from typing import Any

from execsvc.clock import SYSTEM
from execsvc.execution.composition import Composition
from execsvc.execution.guards import GuardLimits
from execsvc.execution.sizing import OrderTerms
from execsvc.replay.exchange import RecordedExchange
from execsvc.runner.context import StrategyRun
from execsvc.runner.persistence import Persistence
from execsvc.runner.runner import BotRunner
from execsvc.runner.services import RunnerServices
from execsvc.store.store import BotRecordsStore
from execsvc.strategies.base import AnyContext, AnyStrategy, Strategy
from execsvc.strategies.diagnostics import Diagnostics


class TimedStrategy(Strategy[Any, Any]):
    """A strategy, and the seconds of the machine's time that its ticks took, reads included."""

    id = "timed"

    def __init__(self, inner: AnyStrategy) -> None:
        self._inner = inner
        self.State = inner.State  # type: ignore[misc] # of the class, but this is but a wrapper
        self.seconds = 0.0

    def on_start(self, ctx: AnyContext) -> None:
        """As the strategy does it."""
        self._inner.on_start(ctx)

    def execute(self, ctx: AnyContext) -> None:
        """As the strategy does it, against the clock."""
        began = SYSTEM.monotonic()
        try:
            self._inner.execute(ctx)
        finally:
            self.seconds += SYSTEM.monotonic() - began

    def on_stop(self, ctx: AnyContext) -> None:
        """As the strategy does it."""
        self._inner.on_stop(ctx)

    def diagnostics(self) -> Diagnostics:
        """As the strategy does it."""
        return self._inner.diagnostics()


def replayed_bot(
    services: RunnerServices,
    store: BotRecordsStore,
    run: StrategyRun,
    exchange: RecordedExchange,
    limits: GuardLimits,
) -> BotRunner:
    """The runner of one bot on a recording; its ledger is bound to the row of ``run``."""
    binding = run.spec.binding
    terms = OrderTerms(run.spec.allocation, services.ledger.precision())
    return BotRunner(
        services,
        run,
        exchange,
        Composition(services, store).order_service(binding, exchange, terms, limits),
        Persistence(services, 0.0, 0.0),
        may_hold=False,
    )
