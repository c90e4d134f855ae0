"""The life of a bot's process, from its fork to its exit code."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from functools import partial
from typing import Any

from loguru import logger
from setproctitle import setproctitle

from execsvc import logs, masking
from execsvc.clock import now
from execsvc.errors import (
    ClaimLost,
    ConfigRefused,
    LedgerFailed,
    LedgerUnavailable,
    StopRequested,
)
from execsvc.execution.liquidation import Liquidation, LiquidationAlarm
from execsvc.masking import masked
from execsvc.model.bot import Binding, BotSpec, short_name
from execsvc.model.order import Purpose
from execsvc.runner.assembly import Assembly
from execsvc.runner.context import StrategyRun
from execsvc.runner.job import Job, Task
from execsvc.runner.ownership import open_ledger
from execsvc.runner.persistence import Persistence
from execsvc.runner.report import EXIT_CODES, End, EndKind, shown, still_open
from execsvc.runner.reporter import Reporter
from execsvc.runner.runner import BotRunner
from execsvc.runner.services import ProcessServices, process_services
from execsvc.runner.waits import Waits
from execsvc.settings import Settings, Switch, secrets_of
from execsvc.store.opening import open_store
from execsvc.store.store import Store
from execsvc.strategies.registry import find, parse_params

FINEST = 12
"""The most decimals that a strategy may ask for."""


def run(job: Job, settings: Settings, lifeline: int, report: int) -> int:
    """Do ``job``; called in a forked child with signals blocked. Returns the exit code."""
    masking.register_secrets(secrets_of(settings))
    logs.name_bot("" if job.name == job.bot_id else short_name(job.name))
    _set_title(job)
    _silence_stdout()
    os.register_at_fork(after_in_child=_leave)
    reporter = Reporter(report)
    waits = Waits(_listen_to_signals(), lifeline, settings.holds_when_orphaned, reporter.beat)
    reporter.beat()
    store = open_store(settings)
    store.while_waiting(partial(waits.heartbeat, interruptible=False))
    ledger = store.bot(job.bot_id, reports=settings.report_ledger is not Switch.OFF)
    services = process_services(ledger, settings, reporter, waits)
    try:
        end = carry_out(job, settings, store, services)
    except StopRequested as stop:
        end = _cut_short(waits, str(stop))
    except ConfigRefused as refusal:
        end = End(kind=EndKind.REFUSED, detail=str(refusal))
    except (LedgerUnavailable, ClaimLost) as failure:
        logger.bind(bot_id=job.bot_id, event="ledger_unavailable").error(
            "{}; this process ends, the next one tries again", failure
        )
        signalled = None if waits.stop is None else waits.stop.signal
        end = End(kind=EndKind.UNAVAILABLE, signal=signalled, detail=str(failure))
    except LedgerFailed as failure:
        logger.bind(bot_id=job.bot_id, event="ledger_failed").critical("{}", failure)
        end = End(kind=EndKind.FAILED, detail=str(failure))
    ledger.close()
    reporter.end(end)
    return EXIT_CODES[end.kind]


def carry_out(job: Job, settings: Settings, store: Store, services: ProcessServices) -> End:
    """Do ``job`` to its end, within the process that was set up for it.

    Raises StopRequested when it is stopped before it has begun, ConfigRefused, LedgerFailed;
    LedgerUnavailable when its next process is to try again.
    """
    return _Process(job, settings, store, services).do()


class _Process:
    """The four tasks that a bot's process may have."""

    def __init__(
        self, job: Job, settings: Settings, store: Store, services: ProcessServices
    ) -> None:
        self._job = job
        self._settings = settings
        self._store = store
        self._services = services
        self._ledger = services.ledger
        self._record = services.record
        self._reporter = services.reporter
        self._waits = services.waits

    def do(self) -> End:
        if self._job.task is Task.LIQUIDATE:
            return self._liquidate()
        if self._job.task is Task.ABANDON:
            self._own_ledger_in_time()
            return self._abandon()
        assert self._job.spec is not None, "a job that trades has a spec"
        strategy = find(self._job.spec.binding.strategy)
        params = parse_params(strategy, self._job.spec.params)
        if self._job.task is Task.CHECK:
            return End(kind=EndKind.CHECKED)
        self._own_ledger()
        with closing(self._assembly()) as assembly:
            return self._trade(assembly, self._job.spec, strategy(), params)

    def _own_ledger(self) -> None:
        open_ledger(self._services, self._settings.stop_timeout)
        self._reporter.update(last_error=None)

    def _own_ledger_in_time(self) -> None:
        for attempt in self._persistence().attempts():
            with attempt:
                self._own_ledger()

    def _persistence(self) -> Persistence:
        settings = self._settings
        return Persistence(self._services, settings.liquidation_backoff, settings.stop_timeout)

    def _assembly(self) -> Assembly:
        return Assembly(self._services, self._settings, self._store, self._job.start)

    def _trade(self, assembly: Assembly, spec: BotSpec, strategy: Any, params: Any) -> End:
        bound = self._ledger.binding()
        for binding in self._bindings():
            if binding != spec.binding:
                assembly.orders(binding).venue.recover(Purpose.ENTRY)
        unfit = [b for b, _ in self._ledger.open_positions() if b != spec.binding]
        if unfit:
            return End(kind=EndKind.RESIDUE, detail=f"still open: {unfit[0].symbol}")
        if bound is not None and bound != spec.binding:
            self._ledger.keep_state(spec.binding.strategy, None)
        self._record.bind(spec.binding)
        precision = _precision(params)
        self._ledger.bind(spec.binding, precision)
        # On paper, too: rows left by an earlier start must not become a part of this one's session.
        self._ledger.note_start(booting=self._job.booting)
        orders = assembly.orders(spec.binding, spec.allocation, precision, spec.stop_loss)
        runner = BotRunner(
            self._services,
            StrategyRun(spec, strategy, params, spec.interval or self._settings.tick_interval),
            assembly.adapter(spec.binding.key_id),
            orders,
            self._persistence(),
            self._settings.holds_when_orphaned,
            None if self._settings.store_url is None else self._store.claims(),
        )
        return runner.run()

    def _liquidate(self) -> End:
        """Close every position in the ledger, each under the binding by which it was opened."""
        # Its time to stop begins once it owns the ledger: it may have to outlive an orphan first.
        self._own_ledger_in_time()
        self._reporter.update(phase="STOPPING")
        assembly = self._assembly()
        with self._waits.uninterrupted():
            for attempt in self._persistence().attempts():
                with attempt:
                    flat = self._close_all(assembly)
        if not flat:
            return End(kind=EndKind.RESIDUE, detail=still_open(self._reporter.snapshot))
        self._record.log("INFO", "bot_flat", "every position that was left is closed")
        return End(kind=EndKind.STOPPED)

    def _close_all(self, assembly: Assembly) -> bool:
        """Close every position; True when all are flat. Raises LedgerFailed after all were tried."""
        faults: list[LedgerFailed] = []
        flat = True
        for binding in self._bindings():
            self._record.bind(binding)
            try:
                flat = self._close(assembly, binding) and flat
            except LedgerFailed as fault:
                # One account's journal must not keep another's position open.
                faults.append(fault)
        passing = [each for each in faults if isinstance(each, LedgerUnavailable)]
        if passing:
            raise passing[0]
        LiquidationAlarm(self._services).update(flat and not faults)
        if faults:
            raise faults[0]
        return flat

    def _close(self, assembly: Assembly, binding: Binding) -> bool:
        orders = assembly.orders(binding, precision=self._ledger.precision())
        orders.venue.recover(Purpose.LIQUIDATION)
        orders.show_position()
        flat = Liquidation(self._services, orders).close()
        self._ledger.keep_state(binding.strategy, None)
        return flat

    def _abandon(self) -> End:
        """Book every position of the owned ledger as abandoned; the exchange is not read.

        Waits until an order of the bot that is open cannot execute any more: decided earlier, it
        would disturb the next order of its account. Raises LedgerFailed.
        """
        self._reporter.update(phase="STOPPING")
        longest = self._settings.order_timeout + self._settings.settlement_window
        with self._waits.uninterrupted():
            left = self._ledger.still_possible(longest)
            if left > 0:
                waiting = f"waiting {left:.0f} s for an order that may still execute"
                self._reporter.update(last_error=waiting)
                self._waits.wait(left)
            abandoned = self._ledger.abandon(now())
        for one in abandoned:
            self._record.log("CRITICAL", "position_abandoned", one.text, tracked=one.tracked)
        bound = self._ledger.binding()
        if bound is not None:
            self._reporter.update(position=shown(self._ledger.position(bound)), contested=0)
        return End(kind=EndKind.STOPPED)

    def _bindings(self) -> list[Binding]:
        """The bindings of open positions, of the bot's last run, and of contested orders.

        At the latter two an order may be unsettled, or decided by an operator since.
        """
        bound = self._ledger.binding()
        if bound is None:
            return []
        held = [binding for binding, _ in self._ledger.open_positions()]
        contested = self._ledger.contested_places(bound.strategy)
        places = {(b.mode, b.key_id, b.symbol): b for b in [*contested, bound, *held]}
        return list(places.values())


def _precision(params: object) -> int | None:
    """The strategy's ``quantity_precision``; None for a value of that name that is no such number."""
    value = getattr(params, "quantity_precision", None)
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= FINEST
    return value if known else None


def _cut_short(waits: Waits, signal_name: str) -> End:
    stop = waits.stop
    assert stop is not None, signal_name
    kind = EndKind.HELD if stop.hold else EndKind.STOPPED
    return End(kind=kind, signal=stop.signal, detail="stopped before it had begun")


def _set_title(job: Job) -> None:
    if job.spec is None:
        doing = "liquidating" if job.task is Task.LIQUIDATE else "abandoning"
        setproctitle(masked(f"execsvc: bot {job.bot_id} {doing}"))
        return
    binding = job.spec.binding
    setproctitle(masked(f"execsvc: bot {job.bot_id} {binding.strategy} {binding.symbol}"))


def _silence_stdout() -> None:
    """Send the standard output to /dev/null: the log is on stderr, and stdout may be a full pipe."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _leave() -> None:
    """End at once in a fork of a strategy: it must not be a second runner of its bot."""
    os._exit(0)


def _listen_to_signals() -> int:
    """Let signals write to a pipe, unblock them, and return the pipe's read end."""
    read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR2):
        signal.signal(number, _written_to_the_pipe)
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return read_end


def _written_to_the_pipe(number: int, frame: object) -> None:
    """Do nothing: the wake-up descriptor has the signal."""
