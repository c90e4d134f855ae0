"""One replay: a bot's own runner, set up for a recording instead of a process."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from execsvc.clock import SYSTEM, SimulatedClock, installed, iso
from execsvc.execution.guards import GuardLimits
from execsvc.model.bot import Binding, BotSpec, Mode
from execsvc.model.market import Limits, Symbol
from execsvc.model.stamps import EPOCH
from execsvc.paper.account import PaperAccount
from execsvc.paper.terms import Terms
from execsvc.recording.files import Recording
from execsvc.recording.tape import Tape
from execsvc.replay.exchange import RecordedExchange
from execsvc.replay.replay_recorder import ReplayRecorder, TickObserver
from execsvc.replay.replayed_bot import TimedStrategy, replayed_bot
from execsvc.replay.result import Conditions, Point, ReplayResult
from execsvc.replay.services import ReplayReporter, SimulatedWaits
from execsvc.runner.context import StrategyRun
from execsvc.runner.control_loop import Grid
from execsvc.runner.services import BotServices, RunnerServices
from execsvc.store.opening import store_in_memory
from execsvc.strategies.registry import find, parse_params

BOT_ID = "replay"
Progress = Callable[[float], None]
_COLLECT_EVERY = 200_000


class ReplayJob(NamedTuple):
    """One replay to be made.

    ``skip_bad`` leaves bad lines out, ``draws`` keeps the data of a picture.
    """

    path: Path
    strategy: str
    params: dict[str, Any]
    conditions: Conditions
    skip_bad: bool = False
    draws: bool = False


class Replay(NamedTuple):
    """A replay that was made, and the machine's time for it, in seconds."""

    result: ReplayResult
    points: list[Point]
    seconds: float
    strategy_seconds: float


def replay(job: ReplayJob, progress: Progress | None = None) -> Replay:
    """Make one replay; ``progress`` is called with the part that is done.

    Raises ConfigRefused for a recording, a strategy or parameters that cannot be used.
    """
    began = SYSTEM.monotonic()
    recording = Recording(job.path, job.skip_bad)
    try:
        with _rare_collections():
            return _played(job, recording, Tape(recording), progress, began)
    finally:
        recording.close()


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Collect garbage rarely: reading makes tens of thousands of tuples and no cycles.

    The usual collections took a fifth of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_EVERY, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _played(
    job: ReplayJob, recording: Recording, tape: Tape, progress: Progress | None, began: float
) -> Replay:
    conditions = job.conditions
    strategy_class = find(job.strategy)
    params = parse_params(strategy_class, job.params)
    start = tape.start + round(conditions.phase * 1000)
    tape.play(start)
    # The grid of ticks has a phase of its own; here its first point is the first line's time.
    clock = SimulatedClock(
        EPOCH + timedelta(milliseconds=start), Grid(BOT_ID, conditions.interval).after(0.0)
    )
    base, quote = Symbol.parse(conditions.symbol)
    account = PaperAccount(dict(zip((base, quote), conditions.balance, strict=True)))
    limits = Limits(min_amount=conditions.min_amount, min_notional=conditions.min_notional)
    terms = Terms(limits=limits, fee_rate=conditions.fee)
    exchange = RecordedExchange(tape, clock, conditions.symbol, account, terms, conditions.latency)
    strategy, spec = TimedStrategy(strategy_class()), _spec(job)
    random.seed(0)  # of the jitter between attempts to liquidate: same input, same bytes out
    with installed(clock):
        store = store_in_memory()
        ledger = store.bot(BOT_ID)
        ledger.open()
        ledger.bind(spec.binding, getattr(params, "quantity_precision", None))
        recorder = ReplayRecorder(ledger, spec.binding)
        shown = None if progress is None else partial(_show, progress, recording)
        observer = TickObserver(strategy, exchange, account, recorder, job.draws, shown)
        reporter, waits = ReplayReporter(observer), SimulatedWaits(exchange)
        services: RunnerServices = BotServices(BOT_ID, ledger, recorder, reporter, waits)
        run = StrategyRun(spec, strategy, params, conditions.interval)
        replayed_bot(services, store, run, exchange, _limits(conditions)).run()
        observer.recording_ended()
    result = _result(job, recording.bad, tape, observer, recorder)
    return Replay(result, observer.points, SYSTEM.monotonic() - began, strategy.seconds)


def _show(progress: Progress, recording: Recording) -> None:
    progress(recording.progress())


def _spec(job: ReplayJob) -> BotSpec:
    conditions = job.conditions
    binding = Binding(
        mode=Mode.LIVE, key_id=BOT_ID, symbol=conditions.symbol, strategy=job.strategy
    )
    return BotSpec(
        bot_id=BOT_ID,
        name=BOT_ID,
        binding=binding,
        params=job.params,
        allocation=conditions.allocation,
        interval=conditions.interval,
        stop_loss=conditions.stop_loss,
    )


def _limits(conditions: Conditions) -> GuardLimits:
    """The guards of an entry; a recording is never stale, it takes no time to read."""
    return GuardLimits(
        conditions.max_order_notional,
        conditions.max_orders_per_minute,
        conditions.daily_loss_limit,
        stop_loss=conditions.stop_loss,
    )


def _result(
    job: ReplayJob, bad: int, tape: Tape, observer: TickObserver, recorder: ReplayRecorder
) -> ReplayResult:
    tally, trips = observer.tally, recorder.trips.trips
    started = EPOCH + timedelta(milliseconds=tape.start)
    ended = EPOCH + timedelta(milliseconds=tape.last)
    return ReplayResult(
        recording=job.path.name,
        strategy=job.strategy,
        params=job.params,
        conditions=job.conditions,
        start=iso(started),
        end=iso(ended),
        span=(ended - started).total_seconds(),
        bad_lines=bad,
        ticks=observer.ticks,
        skipped_ticks=recorder.skipped,
        errors=recorder.errors,
        looked=tally.looked,
        died=dict(sorted(tally.died.items())),
        signals=dict(sorted(tally.signals.items())),
        ends=dict(sorted(tally.ends.items())),
        cut_windows=tally.cut_windows,
        no_entry=tally.no_entry,
        trips=trips,
        gross=sum((trip.gross for trip in trips), Decimal(0)),
        fees=sum((trip.fees for trip in trips), Decimal(0)),
        net=observer.equity.now,
        max_drawdown=observer.equity.max_drawdown,
    )
