"""Measures of execsvc alone: many bots at once, and the cost of one tick."""

from __future__ import annotations

import subprocess
import sys
import time

from _bench.exchange_process import rows
from _bench.managers import ExecsvcManager, cpu_of, memory_of, of_running
from _bench.measures import OURS, Bench, Figures, mean_private, status
from execsvc.runner.control_loop import Grid

ON_TIME = 0.1
"""Seconds by which a tick may be late."""
SETTLES = 3.0
"""Seconds from the last start until the bots are looked at."""
_ONLY_WAITS = """
import os, select
poll = select.poll()
poll.register(os.pipe()[0], select.POLLIN)
print(flush=True)
while True:
    poll.poll(50)
"""


def measure_many_bots(bench: Bench, bots: int, seconds: float) -> Figures:
    """So many bots at one tick a second: their start, lateness, memory, and everybody's CPU."""
    wanted = rows(bots, interval=1.0)
    with bench.running(OURS, wanted) as (manager, exchange):
        began = manager.run_bots(wanted)
        ready = max(exchange.first_ticks(bots).values()) - began
        time.sleep(SETTLES)
        pids = list(manager.bots().values())
        exchange.forget()
        served = exchange.seen().cpu
        since, supervisor, others = time.monotonic(), cpu_of(manager.pid), _cpu(pids)
        time.sleep(seconds)
        supervisor, others = cpu_of(manager.pid) - supervisor, _cpu(pids) - others
        spent, seen = time.monotonic() - since, exchange.seen()
        return {
            "start_all": ready,
            "start_a_bot": ready / bots * 1000,
            "supervisor_cpu": 100 * supervisor / spent,
            "tick_with_ticker": 1e6 * others / len(seen.ticks),
            "exchange_cpu": 100 * (seen.cpu - served) / spent,
            "on_time": 100 * _on_time(seen.ticks, bots, since, since + spent),
            "status": _middle_status(manager),
            "memory_in_all": _proportional(manager) / 1024,
            "memory_a_bot": mean_private(manager),
        }


def tick(bench: Bench, seconds: float) -> Figures:
    """Microseconds of CPU of a tick that reads nothing, 20 times a second, and of waking up alone."""
    wanted = rows(8, interval=0.05, reads=False)
    with bench.running(OURS, wanted) as (manager, _):
        manager.run_bots(wanted)
        time.sleep(SETTLES)
        pids = list(manager.bots().values())
        ticks, spent = _ticks(manager), _cpu(pids)
        time.sleep(seconds)
        return {
            "own_tick": 1e6 * (_cpu(pids) - spent) / (_ticks(manager) - ticks),
            "wake_up": _only_waits(seconds),
        }


def _only_waits(seconds: float) -> float:
    """The same of a process that does nothing but wait 20 times a second."""
    with subprocess.Popen([sys.executable, "-c", _ONLY_WAITS], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None, "it is a pipe"
        process.stdout.readline()
        began, spent = time.monotonic(), cpu_of(process.pid)
        time.sleep(seconds)
        cost = (cpu_of(process.pid) - spent) / ((time.monotonic() - began) / 0.05)
        process.kill()
    return 1e6 * cost


def _cpu(pids: list[int]) -> float:
    return sum(map(cpu_of, pids))


def _ticks(manager: ExecsvcManager) -> int:
    return sum(bot["ticks"] for bot in status(manager)["bots"])


def _on_time(ticks: list[tuple[str, float]], bots: int, since: float, until: float) -> float:
    """The part of the ticks that were due within a time and came less than 0.1 s late."""
    by_bot: dict[str, list[float]] = {}
    for bot_key, at in ticks:
        by_bot.setdefault(bot_key, []).append(at)
    due = in_time = 0
    for number in range(bots):
        grid, moment = Grid(f"b{number}", 1.0), since
        mine = by_bot.get(f"b{number}", [])
        while (moment := grid.after(moment)) < until - ON_TIME:
            due += 1
            in_time += any(moment <= at < moment + ON_TIME for at in mine)
    return in_time / due


def _middle_status(manager: ExecsvcManager) -> float:
    """Milliseconds, the median of nine."""
    taken = []
    for _ in range(9):
        began = time.monotonic()
        status(manager)
        taken.append(time.monotonic() - began)
    return 1000 * sorted(taken)[4]


def _proportional(manager: ExecsvcManager) -> float:
    """MB of everything that the manager runs, shared pages counted once."""
    return sum(of_running(manager.pids(), lambda pid: memory_of(pid, "Pss")))
