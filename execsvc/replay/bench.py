"""The parts of a bot's process, with ledger, waits and exchange of a replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from execsvc.clock import SYSTEM
from execsvc.execution.composition import Composition, OrderTerms
from execsvc.execution.guards import GuardLimits
from execsvc.model.bot import BotSpec
from execsvc.replay.clockwork import SimulatedWaits, TickCounter
from execsvc.replay.exchange import RecordedExchange
from execsvc.replay.witness import Witness
from execsvc.runner.context import StrategyRun
from execsvc.runner.persistence import Persistence
from execsvc.runner.runner import BotRunner
from execsvc.runner.services import BotServices, RunnerServices
from execsvc.store.opening import store_in_memory
from execsvc.strategies.base import AnyContext, AnyStrategy, Strategy
from execsvc.strategies.diagnostics import Diagnostics


class Timed(Strategy[Any, Any]):
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


class Bench:
    """One bot on a recording: the runner's code, all of it, in a simulated environment."""

    def __init__(
        self,
        spec: BotSpec,
        strategy: AnyStrategy,
        params: BaseModel,
        exchange: RecordedExchange,
        ticked: Callable[[], None],
        limits: GuardLimits,
    ) -> None:
        precision: int | None = getattr(params, "quantity_precision", None)
        store = store_in_memory()
        ledger = store.bot(spec.bot_id)
        ledger.open()
        ledger.bind(spec.binding, precision)
        self.witness = Witness(ledger, spec.binding)
        waits, reporter = SimulatedWaits(exchange), TickCounter(ticked)
        services: RunnerServices = BotServices(spec.bot_id, ledger, self.witness, reporter, waits)
        terms = OrderTerms(spec.allocation, precision, limits)
        assert spec.interval is not None, "a replay has its interval from its conditions"
        self._runner = BotRunner(
            services,
            StrategyRun(spec, strategy, params, spec.interval),
            exchange,
            Composition(services, store).order_service(spec.binding, exchange, terms),
            Persistence(services, 0.0, 0.0),
            may_hold=False,
        )

    def run(self) -> None:
        """Tick from the first line to the last, then stop as a runner does."""
        self._runner.run()
