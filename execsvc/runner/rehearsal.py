"""Runs the first ticks of each strategy before the fork, so that all bots share their traces.

A bot's first ticks specialise the code that they run, fill caches and make tables: 1.5 MB that
would be each bot's own. Done in the supervisor's process, before it forks, they are shared memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loguru import logger

from execsvc.clock import monotonic
from execsvc.errors import ConfigRefused, ExecsvcError, StopRequested
from execsvc.model.bot import parse_row
from execsvc.runner.job import Job, Task
from execsvc.runner.process import carry_out
from execsvc.runner.reporter import Reporter
from execsvc.runner.services import process_services
from execsvc.runner.stub_exchange import serve
from execsvc.runner.waits import StopOrder, Waits
from execsvc.settings import Settings
from execsvc.store.opening import open_store
from execsvc.strategies.registry import BUILT_IN

TICKS = 12
"""Python specialises code after eight runs of it."""
INTERVAL = 0.1
"""Seconds [s] from tick to tick.

No time passes in a rehearsal, so that its last tick is due TICKS intervals ahead: that has to be
less than the interval that makes a bot check its position between ticks.
"""
LONGEST = 20.0
"""Seconds [s] by which a whole rehearsal may delay the start of the service, by the clock.

The work is fixed: 0.1 s of CPU time. A busy machine stretches it (to 1 s beside a load of 10 per
core), and must not cut it short: code that is not rehearsed before the first fork costs every bot
its own memory until the service ends. The limit is for a machine on which nothing makes progress:
open positions come first; the unit's TimeoutStartSec is six times as long.
"""
READ_TIMEOUT = 2.0
"""Seconds [s] for one call to the stub exchange; the first failed tick ends a strategy's rehearsal."""
_TRADES = "test_trading_v1"
"""The strategy that buys at its first tick, whatever the market."""


def rehearse() -> None:
    """Run each built-in strategy for some ticks against a stub exchange, leaving no files or logs.

    The one that is sure to trade comes first, so that it is never cut short for others. A rehearsal
    that fails has cost its time and nothing else: every bot then begins cold.
    """
    logger.disable("execsvc")
    until = monotonic() + LONGEST
    failures: list[str] = []
    try:
        with tempfile.TemporaryDirectory(prefix="execsvc-") as folder, serve() as url:
            for strategy_id in sorted({one.id for one in BUILT_IN.values()}, key=_rank):
                try:
                    failure = _rehearse_strategy(strategy_id, Path(folder), url, until)
                except ConfigRefused as refusal:  # its own parameters; the next strategy may do
                    failure = str(refusal)
                failures += [f"{strategy_id}: {failure}"] if failure else []
    except (ExecsvcError, StopRequested, OSError, ValueError) as error:
        failures.append(str(error))
    finally:
        logger.enable("execsvc")
    for text in failures:
        logger.bind(event="rehearsal_failed").debug("bots begin cold: {}", text)


def _rank(strategy_id: str) -> tuple[bool, str]:
    """The place of a strategy in the rehearsal."""
    return strategy_id != _TRADES, strategy_id


def _rehearse_strategy(strategy_id: str, folder: Path, url: str, until: float) -> str | None:
    """Run one strategy against the stub exchange.

    Return why it was cut short, None when it was not.
    """
    settings = Settings(
        bot_service_url=url,
        exchange_adapter_url=url,
        request_timeout=READ_TIMEOUT,
        order_timeout=READ_TIMEOUT,
        state_dir=folder / "state",
        runtime_dir=Path("/"),  # never used; a long TMPDIR would not fit a socket
    )
    job = Job(bot_id=strategy_id, task=Task.TRADE, spec=parse_row(_row(strategy_id)))
    with _pipe() as (_, report), _pipe() as (wakeup, _), _pipe() as (lifeline, _):
        reporter = Reporter(report)
        store = open_store(settings)
        ledger = store.bot(job.bot_id)
        waits = _NoWaits(wakeup, lifeline, reporter, until)
        try:
            services = process_services(ledger, settings, reporter, waits)
            carry_out(job, settings, store, services)
        finally:
            ledger.close()
    return waits.cut


class _NoWaits(Waits):
    """Waits that take no time and end the rehearsal of one strategy, with its position held.

    The end comes at the wait of number ``TICKS``, at the first wait after a tick that failed, or at
    the first one that is not before ``until``, monotonic seconds [s].
    """

    def __init__(self, wakeup: int, lifeline: int, reporter: Reporter, until: float) -> None:
        super().__init__(wakeup, lifeline, False, reporter.beat)
        self._reporter = reporter
        self._until = until
        self._count = 0
        self.cut: str | None = None

    def wait(self, seconds: float, interruptible: bool = True) -> None:
        """Handle pending signals, without waiting. Raises StopRequested at the end."""
        self._count += 1
        super().wait(0.0, interruptible)
        self.cut = self._reason_to_cut()
        if self.cut or self._count >= TICKS:
            self.stop = StopOrder("USR2", hold=True)
            raise StopRequested("USR2")

    def _reason_to_cut(self) -> str | None:
        error = self._reporter.snapshot.last_error
        if error is None and self._count < TICKS and monotonic() >= self._until:
            return f"not done within {LONGEST:g} s"
        return error


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield read_end, write_end
    finally:
        os.close(read_end)
        os.close(write_end)


def _row(strategy_id: str) -> dict[str, Any]:
    return {
        "id": strategy_id,
        "name": "rehearsal",
        "status": "RUNNING",
        # An account of its own: the stub's balance never moves, and shows no other strategy's fill.
        "global_settings": {"key_id": strategy_id, "symbol": "BTC/USDT", "mode": "LIVE"},
        "pipeline": {
            "triggers": {"interval_sec": INTERVAL},
            "strategy": {"id": strategy_id, "params": BUILT_IN[strategy_id].example_params},
        },
    }
