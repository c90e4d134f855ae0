"""Runs one bot: boot, recover, loop, stop."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from execsvc.errors import (
    ConfigRefused,
    LedgerFailed,
    LedgerUnavailable,
    OrderRefused,
    StopRequested,
    Unavailable,
)
from execsvc.execution.exchange import Exchange
from execsvc.execution.liquidation import Liquidation
from execsvc.execution.order_service import OrderService
from execsvc.execution.sizing import may_hold_nothing
from execsvc.failpoints import Failpoint, hit
from execsvc.model.order import Purpose
from execsvc.runner.context import StrategyRun, TickContext
from execsvc.runner.control_loop import ControlLoop, LoopStep, StrategyGaveUp
from execsvc.runner.persistence import Persistence
from execsvc.runner.report import End, EndKind, still_open
from execsvc.runner.services import RunnerServices
from execsvc.runner.stop_loss import StopLoss
from execsvc.runner.strategy_time import StrategyTime
from execsvc.store.claims import AccountClaims

_HOLD_PATIENCE = 1.0
"""Seconds that a stop waits, where the service is set to hold, for the message that all of it
stops.
"""

_PAUSE = 0.25
"""Seconds between two looks at a lease that has run out."""


class BotRunner:
    """The run of one bot from its first tick to its end."""

    def __init__(
        self,
        services: RunnerServices,
        run: StrategyRun,
        adapter: Exchange,
        orders: OrderService,
        persistence: Persistence,
        may_hold: bool,
        claims: AccountClaims | None = None,
    ) -> None:
        """``may_hold``: the service is set to keep positions when it stops.

        ``claims``: those of a host that shares a store, which may not be good for a while.
        """
        spec = run.spec
        self._strategy = run.strategy
        self._kept_as = spec.binding.strategy
        self._orders = orders
        self._liquidation = Liquidation(services, orders)
        self._ledger = services.ledger
        self._record = services.record
        self._reporter = services.reporter
        self._waits = services.waits
        self._persistence = persistence
        self._may_hold = may_hold
        self._claims = claims
        self._key_id = spec.binding.key_id
        self._started = False
        self._left = False
        self._undiagnosable = False
        self._state_text: str | None = None
        state = self._recovered_state()
        self._time = StrategyTime(services.ledger, spec.binding)
        self._context = TickContext(run, state, adapter, orders, services.record, self._time)
        self._stop_loss = StopLoss(services, spec.stop_loss, orders, adapter)
        self._remark = may_hold_nothing(spec.allocation)
        self._loop = ControlLoop(services, run.interval, self._remark)

    def run(self) -> End:
        """Run until a stop, or until the strategy keeps raising; then stop in order, and return the
        end.
        """
        failure: str | None = None
        try:
            self._recover()
            self._tick_for_ever()
        except StopRequested:
            pass
        except LedgerUnavailable:
            self._waits.handle_signals(interruptible=False)
            if self._waits.stop is None:
                raise  # the next process recovers what this one could not record
        except StrategyGaveUp as error:
            failure = str(error)
        return self._stop(failure)

    def _recover(self) -> None:
        self._orders.venue.recover(Purpose.ENTRY)
        self._orders.show_position()
        position = self._orders.position
        held = position.tracked if position.side == "BUY" else position.sold_short
        what = "holding" if position.side == "BUY" else "sold short"
        holding = "" if position.side is None else f", {what} {held:f} from before"
        remark = "" if self._remark is None else f"; {self._remark}"
        self._record.log("INFO", "bot_started", f"started{holding}{remark}")
        self._reporter.update(phase="RUNNING", last_error=self._remark)

    def _tick_for_ever(self) -> None:
        """Tick, and check in between. Raises StopRequested, StrategyGaveUp or LedgerFailed."""
        for step in self._loop.steps():
            self._wait_for_claim()
            if step is LoopStep.CHECK:
                self._loop.checked(self._check_position())
                continue
            with self._loop.tick as tick:
                tick.error = self._tick()

    def _wait_for_claim(self) -> None:
        """Let the bot pause while its host may not send orders. Raises StopRequested."""
        while self._claims is not None:
            paused = self._claims.paused(self._key_id)
            if paused is None:
                return
            self._reporter.update(last_error=paused)
            self._waits.wait(_PAUSE)

    def _tick(self) -> str | None:
        """Run one tick; return the error of the stop loss, which ends no tick."""
        self._context.begin_tick(self._time.now())
        try:
            self._orders.refresh()
        except Unavailable:
            # The price may be readable all the same, and a decision made now stands.
            self._stop_loss.check(self._context)
            raise
        fault = self._stop_loss.check(self._context)
        if not self._started:
            self._strategy.on_start(self._context)
            self._started = True
        try:
            self._strategy.execute(self._context)
        finally:
            self._keep_state()
            self._show_diagnostics()
        return fault

    def _show_diagnostics(self) -> None:
        """Report the strategy's diagnostics, and log them when an entry was decided on.

        A strategy whose diagnostics raise is not asked again by this process: trading goes on.
        """
        if self._undiagnosable:
            return
        try:
            diagnostics = self._strategy.diagnostics()
            shown = diagnostics.shown()
        except Exception as error:  # noqa: BLE001 - a strategy may raise anything
            self._undiagnosable = True
            self._record.traceback("strategy_error", "diagnostics() raised", error)
            return
        self._reporter.update(diagnostics=shown)
        if diagnostics.signal or diagnostics.ended or diagnostics.refused:
            text = ", ".join(f"{name} {value}" for name, value in shown.items())
            self._record.log("DEBUG", "strategy_judged", text)

    def _check_position(self) -> str | None:
        """Carry out an operator's decisions between ticks, then check the stop loss.

        Returns the error, if any. Raises LedgerFailed, StopRequested.
        """
        unread: str | None = None
        try:
            self._orders.refresh()
        except Unavailable as fault:
            unread = str(fault)
        return self._stop_loss.check() or unread

    def _stop(self, failure: str | None) -> End:
        stop = self._waits.stop
        signal = None if stop is None else stop.signal
        self._reporter.checked(judged=True)  # a stop sells without judging the price
        self._reporter.update(stopping_on=signal)
        if failure is None and self._is_to_hold():
            return self._hold()
        self._reporter.update(phase="STOPPING")
        if failure is None:
            self._record.log("INFO", "bot_stopping", f"stopping on {signal}")
        else:
            self._record.log("ERROR", "bot_given_up", f"given up: {failure}")
        hit(Failpoint.STOP_BEGUN)
        kind, detail = EndKind.RESIDUE, ""
        with self._waits.uninterrupted():
            try:
                for attempt in self._persistence.attempts():
                    with attempt:
                        flat = self._close()
            except LedgerUnavailable as fault:
                flat, kind, detail = False, EndKind.UNAVAILABLE, str(fault)
        if not flat:
            kind = kind if failure is None else EndKind.FAILED
            detail = failure or detail or still_open(self._reporter.snapshot)
            return End(kind=kind, signal=signal, detail=detail)
        self._record.log("INFO", "bot_flat", "stopped, flat")
        if failure is not None:
            return End(kind=EndKind.FAILED, detail=failure)
        return End(kind=EndKind.STOPPED, signal=signal)

    def _close(self) -> bool:
        """Settle, call the strategy's ``on_stop`` once, sell the rest; True when flat."""
        # The stop may have cut recovery short: an order of ours may still be open.
        self._orders.venue.recover(Purpose.LIQUIDATION)
        self._orders.show_position()
        if not self._left:
            self._left = True
            self._on_stop()
            hit(Failpoint.ON_STOP_ENDED)
        flat = self._liquidation.run()
        if flat:
            hit(Failpoint.FLAT)
            self._ledger.keep_state(self._kept_as, None)
        return flat

    def _is_to_hold(self) -> bool:
        patience = _HOLD_PATIENCE if self._may_hold else 0.0
        return self._waits.hold_asked_within(patience)

    def _hold(self) -> End:
        stop = self._waits.stop
        assert stop is not None, "a stop that holds was asked for"
        self._record.log("INFO", "position_kept", f"ended on {stop.signal}, position kept")
        return End(kind=EndKind.HELD, signal=stop.signal)

    def _on_stop(self) -> None:
        """Call the strategy's ``on_stop``; the policy closes the position afterwards, whatever it
        did or raised.
        """
        self._reporter.update(on_stop=True)
        try:
            self._context.begin_tick(self._time.now(), stopping=True)
            self._strategy.on_stop(self._context)
        except (Unavailable, OrderRefused) as error:
            self._record.log("WARNING", "on_stop_skipped", f"on_stop: {error}")
        except LedgerFailed:
            raise
        except Exception as error:  # noqa: BLE001 - a strategy may raise anything
            self._record.traceback("on_stop_error", "on_stop raised", error)
        finally:
            self._reporter.update(on_stop=False)

    def _keep_state(self) -> None:
        text = self._context.state.model_dump_json()
        if text != self._state_text:
            self._ledger.keep_state(self._kept_as, text, self._time.kept())
            self._state_text = text

    def _recovered_state(self) -> BaseModel:
        text = self._ledger.state(self._kept_as)
        self._state_text = text
        if text is None:
            return self._strategy.State()
        try:
            return self._strategy.State.model_validate_json(text)
        except ValidationError as error:
            raise ConfigRefused(f"kept state does not fit {self._kept_as}: {error}") from None
