"""CPU of what a tick is made of, in this process and one after the other: caches are as warm as can be."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

from _bench.exchange_process import ExchangeProcess, rows
from _bench.strategy import Bench as Measured
from execsvc import logs
from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient
from execsvc.errors import StopRequested
from execsvc.model.bot import parse_row
from execsvc.runner.job import Job, Task
from execsvc.runner.process import carry_out
from execsvc.runner.reporter import Reporter
from execsvc.runner.services import process_services
from execsvc.runner.waits import StopOrder, Waits
from execsvc.settings import Settings
from execsvc.store.opening import open_store
from execsvc.strategies.registry import BUILT_IN

ROUNDS = 1000


class _NoPause:
    def remaining(self) -> float:
        return 0.0

    def pause(self, seconds: float) -> None:
        pass

    def banned(self) -> float:
        return 0.0

    def ban(self, seconds: float, why: str) -> None:
        pass


class _NoWaits(Waits):
    """Looks for signals as ever, waits for nothing, and ends the bot when it has ticked enough."""

    ticks = 0
    began = 0.0
    cost = 0.0

    def wait(self, seconds: float, interruptible: bool = True) -> None:
        self.ticks += 1
        if self.ticks == ROUNDS:
            self.began = time.process_time()
        if self.ticks == 4 * ROUNDS:
            self.cost = (time.process_time() - self.began) / (3 * ROUNDS)
            self.stop = StopOrder("USR2", hold=True)
            raise StopRequested("USR2")
        super().wait(0.0, interruptible)


def reads() -> dict[str, float]:
    """Microseconds of CPU for: one read as requests comes, as ours, and with its validation."""
    with closing(ExchangeProcess()) as exchange:
        client = HttpClient(exchange.url, None, 5.0)
        adapter = ExchangeAdapter(client, "b0", _NoPause())
        asked: dict[str, Any] = {"key_id": "b0", "symbol": "BTC/USDT", "limit": 50}
        plain = requests.Session()
        url = f"{exchange.url}/market/depth"
        return {
            "requests_as_it_comes": _cost(lambda: plain.get(url, params=asked, timeout=5).content),
            "our_read": _cost(lambda: _read(client, asked)),
            "our_read_parsed": _cost(lambda: adapter.depth("BTC/USDT", 50)),
            "our_ticker_parsed": _cost(lambda: adapter.ticker("BTC/USDT")),
        }


def sequential_ticks() -> dict[str, float]:
    """Microseconds of CPU of a tick that reads nothing, its wait left out."""
    logs.setup("WARNING", "text")
    BUILT_IN[Measured.id] = Measured
    read, report = os.pipe2(os.O_NONBLOCK)
    with tempfile.TemporaryDirectory() as name, closing(ExchangeProcess()) as exchange:
        settings = Settings(
            bot_service_url=exchange.url,
            exchange_adapter_url=exchange.url,
            state_dir=Path(name),
            runtime_dir=Path("/"),
        )
        job = Job(bot_id="b0", task=Task.TRADE, spec=parse_row(rows(1, reads=False)[0]))
        reporter, store = Reporter(report), open_store(settings)
        ledger = store.bot("b0")
        waits = _NoWaits(read, read, False, reporter.beat)
        with closing(ledger):
            services = process_services(ledger, settings, reporter, waits)
            carry_out(job, settings, store, services)
    return {"own_tick_in_a_row": 1e6 * waits.cost}


def _read(client: HttpClient, asked: dict[str, Any]) -> None:
    # The JSON of an answer belongs to its validation; look() is the read alone.
    client.get_any_status(
        "bench", f"/market/depth?key_id=b0&symbol=BTC%2FUSDT&limit={asked['limit']}"
    )


def _cost(call: Callable[[], object]) -> float:
    for _ in range(50):
        call()
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for _ in range(ROUNDS):
            call()
        best = min(best, (time.process_time() - began) / ROUNDS)
    return best * 1e6
