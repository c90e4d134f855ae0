"""What is measured, each a function of one manager with nothing running yet."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from _bench.managers import Circus, Ours, Process, Supervisord
from _bench.world import Exchange, rows, wait
from execsvc.clients import control_socket
from execsvc.runner.control_loop import Grid

OURS, SUPERVISORD, CIRCUS = "execsvc", "supervisord", "circus"
EVERYBODY = (OURS, SUPERVISORD, CIRCUS)
ON_TIME = 0.1


class Bench:
    """The parts that every measurement needs."""

    def __init__(self, peers: Path, root: Path) -> None:
        self.peers = peers
        self._root = root

    @contextmanager
    def running(self, who: str, wanted: list[dict[str, Any]]) -> Iterator[tuple[Any, Exchange]]:
        """A manager that knows ``wanted`` and runs none of them yet, and its exchange."""
        exchange = Exchange()
        # Removed with all others at the end: ext4 looks past every inode that was freed within
        # minutes, so that each measurement would be slower than the one before.
        folder = Path(tempfile.mkdtemp(prefix=f"{who}-", dir=self._root))
        manager: Process
        if who == OURS:
            manager = Ours(exchange, folder)
        elif who == SUPERVISORD:
            manager = Supervisord(exchange, folder, wanted, self.peers)
        else:
            manager = Circus(exchange, folder, wanted, self.peers)
        try:
            yield manager, exchange
        finally:
            _end(manager)
            exchange.close()


def start(bench: Bench, who: str, bots: int) -> dict[str, float]:
    """Seconds from the listing to the last first tick, then from TERM to the last bot gone."""
    wanted = rows(bots, interval=5.0)
    with bench.running(who, wanted) as (manager, exchange):
        began = manager.go(wanted)
        ready = max(exchange.first_ticks(bots).values()) - began
        share = exchange.seen().cpu / ready
        wait(lambda: len(manager.bots()) == bots, "every bot has its title")
        return {"start": ready, "stop": manager.stop(), "exchange_share": share}


def memory(bench: Bench, who: str, bots: int, ticks: int = 300) -> dict[str, float]:
    """MB of private memory a bot, after so many ticks and a full collection; the mean of all."""
    wanted = rows(bots, interval=0.1, collects=ticks - 5)
    with bench.running(who, wanted) as (manager, exchange):
        manager.go(wanted)
        exchange.wait_for_ticks(ticks, bots)
        held = [private(pid) for pid in manager.bots().values()]
        return {"memory": sum(held) / len(held), "manager": private(manager.pid)}


def restart(bench: Bench, who: str) -> dict[str, float]:
    """Seconds from kill -9 of a bot that holds a position to the first tick of its successor."""
    wanted = rows(10, interval=0.5, buys="0.01")
    with bench.running(who, wanted) as (manager, exchange):
        manager.go(wanted)
        exchange.wait_for_ticks(8, 10)
        victim = manager.bots()["b3"]
        exchange.forget()
        killed = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        first = _first_after(exchange, "b3", killed)
        recovered = 1.0
        if isinstance(manager, Ours):
            shown = {bot["bot_id"]: bot for bot in status(manager)["bots"]}
            recovered = float(shown["b3"]["position"]["tracked"] == "0.01")
        return {"restart": first - killed, "recovered": recovered}


def crowd(bench: Bench, bots: int, seconds: float) -> dict[str, float]:
    """So many bots at one tick a second: the start, the supervisor's CPU, lateness, memory."""
    wanted = rows(bots, interval=1.0)
    with bench.running(OURS, wanted) as (manager, exchange):
        began = manager.go(wanted)
        ready = max(exchange.first_ticks(bots).values()) - began
        time.sleep(3.0)
        supervisor = psutil.Process(manager.pid)
        exchange.forget()
        cpu, since = _cpu(supervisor), time.monotonic()
        others, served = _cpu_of(manager), exchange.seen().cpu
        time.sleep(seconds)
        seen, spent = exchange.seen(), time.monotonic() - since
        used = (_cpu(supervisor) - cpu) / spent
        on_bots = (_cpu_of(manager) - others) / spent
        return {
            "start": ready,
            "start_a_bot": ready / bots * 1000,
            "supervisor_cpu": 100 * used,
            "bots_cpu": 100 * on_bots,
            "exchange_cpu": 100 * (seen.cpu - served) / spent,
            "on_time": 100 * _on_time(seen.ticks, bots, since, since + spent),
            "status": _fastest_status(manager),
            "memory_in_all": proportional(manager) / 1024,
            "memory_a_bot": _mean_private(manager),
        }


def status(manager: Ours) -> dict[str, Any]:
    """``/status``, by the control socket."""
    return control_socket.ask(manager.runtime_dir, {"call": "status"}, 10.0)


def private(pid: int) -> float:
    """MB that belong to one process alone."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kb) for kb in re.findall(r"Private_\w+:\s+(\d+)", text)) / 1024


def proportional(manager: Process) -> float:
    """MB of everything that the manager runs, shared pages counted once."""
    found = 0
    for process in [psutil.Process(manager.pid), *psutil.Process(manager.pid).children(True)]:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        found += sum(int(kb) for kb in re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE))
    return found / 1024


def _mean_private(manager: Process) -> float:
    held = [private(pid) for pid in manager.bots().values()]
    return sum(held) / len(held)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _cpu_of(manager: Process) -> float:
    return sum(_cpu(psutil.Process(pid)) for pid in manager.bots().values())


def _first_after(exchange: Exchange, key: str, moment: float) -> float:
    def ticks() -> list[float]:
        return [at for who, at in exchange.seen().ticks if who == key and at > moment]

    wait(lambda: bool(ticks()), "the successor ticks")
    return ticks()[0]


def _on_time(ticks: list[tuple[str, float]], bots: int, since: float, until: float) -> float:
    """The part of the ticks that were due within a time and came less than 0.1 s late."""
    due = in_time = 0
    for number in range(bots):
        grid, moment = Grid(f"b{number}", 1.0), since
        mine = sorted(at for who, at in ticks if who == f"b{number}")
        while (moment := grid.after(moment)) < until - ON_TIME:
            due += 1
            in_time += any(moment <= at < moment + ON_TIME for at in mine)
    return in_time / due


def _fastest_status(manager: Ours) -> float:
    """Milliseconds of the median of nine."""
    taken = []
    for _ in range(9):
        began = time.monotonic()
        status(manager)
        taken.append(time.monotonic() - began)
    return 1000 * sorted(taken)[4]


def _end(manager: Process) -> None:
    """Nothing of it is left, also when a measurement failed half way."""
    if not manager.pid:
        return
    try:
        everything = psutil.Process(manager.pid).children(recursive=True)
        os.kill(manager.pid, signal.SIGTERM)
    except (psutil.Error, ProcessLookupError):
        return
    manager.end()
    for process in everything:
        if process.is_running():
            process.kill()
