"""The exchange as a process, the rows of its bots, and what it saw of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import requests

SCRIPTS = Path(__file__).resolve().parents[1]
PATIENCE = 120.0
"""Seconds for anything that a measurement waits for."""


class ExchangeLog(NamedTuple):
    """The requests that the exchange saw. Moments are seconds of the machine's monotonic clock."""

    listed_at: float
    ticks: list[tuple[str, float]]
    cpu: float
    calls: int
    """Reads of market and balance since it was started."""


class ExchangeProcess:
    """The exchange that all of the measured bots talk to."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "_bench.exchange"],
            stdout=subprocess.PIPE,
            cwd=SCRIPTS,
        )
        assert self._process.stdout is not None, "it is a pipe"
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self._session = requests.Session()
        self._session.trust_env = False

    def list_bots(self, rows: list[dict[str, Any]]) -> None:
        """Set the listing of BotService from now on; forget the requests seen."""
        self._session.post(f"{self.url}/bench/bots", data=json.dumps(rows))

    def forget(self) -> None:
        """Forgets the ticks that were seen."""
        self._session.post(f"{self.url}/bench/forget")

    def seen(self) -> ExchangeLog:
        """All since it was told to forget."""
        found = self._session.get(f"{self.url}/bench/seen").json()
        ticks = [tuple(tick) for tick in found["ticks"]]
        return ExchangeLog(found["listed_at"], ticks, found["cpu"], found["calls"])

    def first_ticks(self, bots: int) -> dict[str, float]:
        """The moment of each bot's first tick, once ``bots`` of them have one."""
        wait(lambda: self._count()["bots"] >= bots, f"{bots} bots tick")
        first: dict[str, float] = {}
        for key, moment in self.seen().ticks:
            first.setdefault(key, moment)
        return first

    def wait_for_ticks(self, each: int, bots: int) -> None:
        """Until ``bots`` bots have ticked ``each`` times, on the average and a bit."""
        wait(lambda: self._count()["ticks"] >= bots * (each + 2), f"{each} ticks a bot")

    def close(self) -> None:
        """Kill the process, and wait for its end."""
        self._process.kill()
        self._process.wait()

    def _count(self) -> dict[str, int]:
        found: dict[str, int] = self._session.get(f"{self.url}/bench/count").json()
        return found


def rows(bots: int, interval: float = 1.0, **params: object) -> list[dict[str, Any]]:
    """So many bots, each with an account of its own."""
    return [
        {
            "id": f"b{number}",
            "name": f"bench {number}",
            "status": "RUNNING",
            "global_settings": {"exchange": f"b{number}", "symbol": "BTC/USDT", "mode": "LIVE"},
            "pipeline": {
                "strategy": {"id": "bench_v1", "params": params},
                "triggers": {"interval_sec": interval},
            },
        }
        for number in range(bots)
    ]


def environ(folder: Path, url: str) -> dict[str, str]:
    """The environment of whatever runs bots; its state is in ``folder``."""
    plugin = folder / "plugin" / "execsvc_bench-1.0.dist-info"
    plugin.mkdir(parents=True)
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: execsvc-bench\nVersion: 1.0\n")
    entry = "bench_v1 = _bench.strategy:Bench"
    (plugin / "entry_points.txt").write_text(f"[execsvc.strategies]\n{entry}\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EXECSVC_")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(plugin.parent), str(SCRIPTS)]),
        "EXECSVC_BOT_SERVICE_URL": url,
        "EXECSVC_EXCHANGE_ADAPTER_URL": url,
        "EXECSVC_STATE_DIR": str(folder / "state"),
        "EXECSVC_RUNTIME_DIR": str(folder / "run"),
        "EXECSVC_HTTP_BIND": "127.0.0.1:0",
        "EXECSVC_POLL_INTERVAL": "0.5",
        "EXECSVC_LOG_LEVEL": "WARNING",
    }


def wait(condition: Callable[[], bool], what: str) -> None:
    """Until ``condition`` holds. Raises TimeoutError."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"in vain: {what}")
        time.sleep(0.02)
