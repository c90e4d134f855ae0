"""Measures of bots that read books and trades: ``orderflow_exhaustion_v1`` over shared keys and symbols."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import psutil

from _bench.exchange_process import ExchangeProcess, wait
from _bench.managers import ExecsvcManager, Process, cpu_of, of_running
from _bench.many_bots import ON_TIME, SETTLES
from _bench.measures import Bench, Figures, mean_private, status
from _bench.moving_market import SYMBOLS
from execsvc.runner.control_loop import Grid

KEYS = 20
CALLS_A_TICK = 2
"""Calls at the adapter of one tick that shares its reads with no other bot."""
_LOOK_EVERY = 2.5
"""Seconds between two looks at the bots' last ticks; ``/status`` may be two seconds old."""


def orderflow_rows(bots: int, interval: float = 1.0) -> list[dict[str, Any]]:
    """So many bots of ``orderflow_exhaustion_v1``, spread over the keys and symbols."""
    return [
        {
            "id": f"b{number}",
            "name": f"bench {number}",
            "status": "RUNNING",
            "global_settings": {
                "exchange": f"k{number % KEYS}",
                "symbol": SYMBOLS[number // KEYS % len(SYMBOLS)],
                "mode": "PAPER",
            },
            "pipeline": {
                "strategy": {"id": "orderflow_exhaustion_v1", "params": {}},
                "triggers": {"interval_sec": interval},
            },
        }
        for number in range(bots)
    ]


def measure_orderflow(bench: Bench, manager_name: str, bots: int, seconds: float) -> Figures:
    """So many bots at one tick a second: everybody's CPU, lateness, and calls at the adapter."""
    wanted = orderflow_rows(bots)
    with bench.running(manager_name, wanted) as (manager, exchange):
        began = manager.run_bots(wanted)
        wait(lambda: len(manager.bots()) == bots, "every bot has a process")
        wait(lambda: _ticks(manager, exchange) >= bots, "ticks")
        ready = time.monotonic() - began
        time.sleep(SETTLES)
        before, since = _moment(manager, exchange), time.monotonic()
        late = _lateness(manager, seconds)
        after, spent = _moment(manager, exchange), time.monotonic() - since
        ticks = after["ticks"] - before["ticks"]
        kinds = _cpu_by_kind(after["cpu"], before["cpu"])
        found = {
            "tick_orderflow": 1e6 * kinds.get("bot", 0.0) / ticks,
            "tick_everything": 1e6 * sum(kinds.values()) / ticks,
            "ticks_made": 100 * ticks / (bots * spent),
            "calls": (after["calls"] - before["calls"]) / spent,
            "exchange_cpu": 100 * (after["exchange"] - before["exchange"]) / spent,
            "start_orderflow": ready / bots * 1000,
            "memory_a_bot": mean_private(manager),
        }
        for kind, cpu in kinds.items():
            found[f"cpu_{kind}"] = 100 * cpu / spent
        if late:
            found["on_time"] = 100 * sum(each < ON_TIME for each in late) / len(late)
        return found


def _moment(manager: Process, exchange: ExchangeProcess) -> dict[str, Any]:
    seen = exchange.seen()
    return {
        "ticks": _ticks(manager, exchange),
        "calls": seen.calls,
        "exchange": seen.cpu,
        "cpu": {pid: (kind, cpu) for kind, pids in _kinds(manager).items() for pid, cpu in pids},
    }


def _ticks(manager: Process, exchange: ExchangeProcess) -> int:
    """The ticks made so far; those of scripts under another manager are known by their calls only."""
    if isinstance(manager, ExecsvcManager):
        return sum(bot["ticks"] for bot in status(manager)["bots"])
    return exchange.seen().calls // CALLS_A_TICK


def _kinds(manager: Process) -> dict[str, list[tuple[int, float]]]:
    """Pid and seconds of CPU of every process of the manager, by what it is."""
    kinds: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for pid in manager.pids():
        kind = "manager"
        if pid != manager.pid:
            with suppress(psutil.NoSuchProcess):
                title = " ".join(psutil.Process(pid).cmdline()).split()
                kind = title[1] if title[:1] == ["execsvc:"] else "others"
        kinds[kind] += of_running([pid], lambda one: (one, cpu_of(one)))
    return kinds


def _cpu_by_kind(
    after: dict[int, tuple[str, float]], before: dict[int, tuple[str, float]]
) -> dict[str, float]:
    """Seconds of CPU spent in between."""
    spent: dict[str, float] = defaultdict(float)
    for pid, (kind, cpu) in after.items():
        spent[kind] += cpu - before.get(pid, (kind, 0.0))[1]
    return spent


def _lateness(manager: Process, seconds: float) -> list[float]:
    """Seconds by which each bot's last tick was late, looked at now and then for so long."""
    until, late = time.monotonic() + seconds, []
    while time.monotonic() < until:
        time.sleep(min(_LOOK_EVERY, max(until - time.monotonic(), 0.0)))
        if isinstance(manager, ExecsvcManager):
            late += [_late(bot["bot_id"], bot["last_tick_at"]) for bot in status(manager)["bots"]]
    return late


def _late(bot_id: str, ticked_at: str) -> float:
    """Seconds between a tick and the point of the bot's grid before it."""
    wall = datetime.fromisoformat(ticked_at.replace("Z", "+00:00"))
    ago = (datetime.now(timezone.utc) - wall).total_seconds()
    at = time.clock_gettime(time.CLOCK_BOOTTIME) - ago
    return max(at - (Grid(bot_id, 1.0).after(at) - 1.0), 0.0)
