"""The parts of a bot's process, with ledger, waits and exchange of a replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from execsvc.clock import SYSTEM
from execsvc.execution.guards import GuardLimits, Guards
from execsvc.execution.order_service import OrderService
from execsvc.execution.order_sizes import OrderSizes
from execsvc.execution.settlement.settlement import Settlement
from execsvc.execution.size_memory import SizeMemory
from execsvc.execution.venues.account import Account
from execsvc.execution.venues.adoption import Adoption
from execsvc.execution.venues.live import LiveVenue
from execsvc.model.bot import BotSpec
from execsvc.replay.clockwork import ReplayServices, SimulatedWaits, TickCounter
from execsvc.replay.exchange import RecordedExchange
from execsvc.replay.witness import Witness
from execsvc.runner.persistence import Persistence
from execsvc.runner.runner import BotRunner
from execsvc.store.opening import store_in_memory
from execsvc.store.store import BotRecordsStore
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
        services = ReplayServices(spec.bot_id, ledger, self.witness, reporter, waits)
        assert spec.interval is not None, "a replay has its interval from its conditions"
        self._runner = BotRunner(
            services,
            spec,
            strategy,
            params,
            exchange,
            _orders(services, store, spec, exchange, precision, limits),
            Persistence(ledger, waits, reporter, 0.0, 0.0),
            spec.interval,
            may_hold=False,
        )

    def run(self) -> None:
        """Tick from the first line to the last, then stop as a runner does."""
        self._runner.run()


def _orders(
    services: ReplayServices,
    store: BotRecordsStore,
    spec: BotSpec,
    exchange: RecordedExchange,
    precision: int | None,
    limits: GuardLimits,
) -> OrderService:
    binding, memory = spec.binding, SizeMemory(services.ledger, services.record)
    journal = store.account(binding.key_id)
    account = Account(services, exchange, journal, store.pause(binding.key_id))
    venue = LiveVenue(
        services,
        binding,
        account,
        Settlement(services, account),
        Adoption(services, binding, journal, memory),
    )
    return OrderService(
        services,
        binding,
        venue,
        OrderSizes(memory, binding, precision),
        Guards(limits, services.ledger, binding, services.record, services.reporter),
        spec.allocation,
    )
