"""What a bot's process puts together, with ledger, waits and exchange of a replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from execsvc.clock import SYSTEM
from execsvc.execution.order_sizes import OrderSizes
from execsvc.execution.size_memory import SizeMemory
from execsvc.ledger.in_memory import InMemoryJournal, InMemoryLedger, NeverPaused
from execsvc.model.bot import BotSpec
from execsvc.replay.clockwork import SimulatedWaits, TickCounter
from execsvc.replay.exchange import RecordedExchange
from execsvc.replay.witness import Witness
from execsvc.runner.account import Account
from execsvc.runner.desk import OrderDesk
from execsvc.runner.gone import GoneCoins
from execsvc.runner.guards import GuardLimits, Guards
from execsvc.runner.liquidation import Liquidation
from execsvc.runner.live import LiveVenue
from execsvc.runner.persistence import Persistence
from execsvc.runner.runner import BotRunner
from execsvc.runner.settlement import Settlement
from execsvc.strategies.base import AnyContext, AnyStrategy, Strategy

# Defaults of the settings that matter to a bot whose exchange always answers.
_ATTEMPTS, _BACKOFF = 5, 1.0
_WINDOW, _ORDER_TIMEOUT, _GONE_AFTER = 10.0, 30.0, 600.0


class Timed(Strategy[Any, Any]):
    """A strategy, and the seconds of the machine's time that its ticks took with all they read."""

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
            self.seen = self._inner.seen

    def on_stop(self, ctx: AnyContext) -> None:
        """As the strategy does it."""
        self._inner.on_stop(ctx)


class Bench:
    """One bot on a recording: the runner's code, all of it, but for its surroundings."""

    def __init__(
        self,
        spec: BotSpec,
        strategy: AnyStrategy,
        params: BaseModel,
        exchange: RecordedExchange,
        ticked: Callable[[], None],
        limits: GuardLimits,
    ) -> None:
        self._spec = spec
        self._limits = limits
        self._precision: int | None = getattr(params, "quantity_precision", None)
        self._exchange = exchange
        self._ledger = InMemoryLedger(spec.bot_id)
        self._ledger.bind(spec.binding, self._precision)
        self._reporter = TickCounter(ticked)
        self._waits = SimulatedWaits(exchange)
        self.witness = Witness(self._ledger, spec.binding)
        self._memory = SizeMemory(self._ledger, self.witness)
        desk = self._desk()
        assert spec.interval is not None, "a replay has its interval from its conditions"
        self._runner = BotRunner(
            spec,
            strategy,
            params,
            exchange,
            desk,
            self._liquidation(desk),
            self._ledger,
            self.witness,
            self._reporter,
            self._waits,
            Persistence(self._ledger, self._waits, self._reporter, 0.0, 0.0),
            spec.interval,
            may_hold=False,
        )

    def run(self) -> None:
        """Tick from the first line to the last, then go the way of a stop."""
        self._runner.run()

    def _desk(self) -> OrderDesk:
        gone = GoneCoins(self._ledger, self._spec.binding, self.witness, _GONE_AFTER)
        return OrderDesk(
            self._spec.binding,
            self._ledger,
            self._venue(),
            gone,
            self.witness,
            self._reporter,
            self._spec.allocation,
            OrderSizes(self._memory, self._spec.binding, self._precision),
            Guards(self._limits, self._ledger, self._spec.binding, self.witness, self._reporter),
        )

    def _venue(self) -> LiveVenue:
        account = Account(
            self._exchange,
            InMemoryJournal(self._ledger, self._spec.binding),
            NeverPaused(),
            self._waits,
            self._reporter,
            _WINDOW,
        )
        settlement = Settlement(
            account, self._waits, self._reporter, self.witness, _WINDOW, _ORDER_TIMEOUT
        )
        return LiveVenue(
            self._spec.bot_id,
            self._spec.binding,
            self._ledger,
            account,
            settlement,
            self.witness,
            self._reporter,
            self._waits,
            _ORDER_TIMEOUT,
            self._memory,
        )

    def _liquidation(self, desk: OrderDesk) -> Liquidation:
        return Liquidation(
            desk, self._ledger, self.witness, self._reporter, self._waits, _ATTEMPTS, _BACKOFF
        )
