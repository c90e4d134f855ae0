"""What every bot does first is done once before the fork, so that all of them share its traces.

A bot's first ticks specialise the code that they run, fill caches and make tables: 1.5 MB that
would be each bot's own. In the supervisor's process, before it forks, they are everybody's.
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
from execsvc.errors import ExecsvcError, StopRequested
from execsvc.ledger.bot_ledger import BotLedger
from execsvc.model.bot import parse_row
from execsvc.runner.job import Job, Task
from execsvc.runner.process import carry_out
from execsvc.runner.record import Record
from execsvc.runner.reporter import Reporter
from execsvc.runner.stage import serve
from execsvc.runner.waits import StopOrder, Waits
from execsvc.settings import Settings
from execsvc.strategies.registry import BUILT_IN

TICKS = 12
"""Python specialises code after eight runs of it."""
LONGEST = 0.5
"""Seconds that one strategy may take; a rehearsal takes a tenth of that when all goes well."""
PARAMS = {"test_trading_v1": {"allocation_ratio": 0.1, "hold_duration": 3600, "loop_count": 1}}


def rehearse() -> None:
    """Run each built-in strategy for some ticks against a stage, at once and without a trace.

    A rehearsal that fails has cost its time and nothing else: every bot then begins cold.
    """
    logger.disable("execsvc")
    try:
        with tempfile.TemporaryDirectory(prefix="execsvc-") as folder, serve() as url:
            for strategy_id in sorted({strategy.id for strategy in BUILT_IN.values()}):
                _play(strategy_id, Path(folder), url)
    except (ExecsvcError, StopRequested, OSError, ValueError) as error:
        failure: BaseException | None = error
    else:
        failure = None
    finally:
        logger.enable("execsvc")
    if failure is not None:
        logger.bind(event="rehearsal_failed").debug("bots begin cold: {}", failure)


def _play(strategy_id: str, folder: Path, url: str) -> None:
    settings = Settings(
        bot_service_url=url,
        exchange_adapter_url=url,
        request_timeout=LONGEST,
        order_timeout=LONGEST,
        state_dir=folder / "state",
        runtime_dir=Path("/"),  # never used; a long TMPDIR would not fit a socket
    )
    job = Job(bot_id=strategy_id, task=Task.TRADE, spec=parse_row(_row(strategy_id)))
    with _pipe() as (_, report), _pipe() as (wakeup, _), _pipe() as (lifeline, _):
        reporter = Reporter(report)
        ledger = BotLedger(settings.state_dir, job.bot_id)
        waits = _NoWaits(wakeup, lifeline, False, reporter.beat)
        try:
            carry_out(job, settings, ledger, Record(job.bot_id, ledger), reporter, waits)
        finally:
            ledger.close()


class _NoWaits(Waits):
    """Time flies, and after some ticks the bot is told to end and hold."""

    _ticks = 0
    _until: float | None = None

    def wait(self, seconds: float, interruptible: bool = True) -> None:
        """Nothing passes; the twelfth wait raises StopRequested, or any that comes too late."""
        self._ticks += 1
        self._until = self._until or monotonic() + LONGEST
        super().wait(0.0, interruptible)
        if self._ticks >= TICKS or monotonic() > self._until:
            self.stop = StopOrder("USR2", hold=True)
            raise StopRequested("USR2")


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
        "global_settings": {"key_id": "stage", "symbol": "BTC/USDT", "mode": "LIVE"},
        "pipeline": {"strategy": {"id": strategy_id, "params": PARAMS.get(strategy_id, {})}},
    }
