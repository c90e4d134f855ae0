"""Measures of any manager that runs nothing yet."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _bench.exchange_process import ExchangeProcess, rows, wait
from _bench.managers import Circus, ExecsvcManager, Process, Supervisord, memory_of, of_running
from execsvc.clients import control_socket

OURS, SUPERVISORD, CIRCUS = "execsvc", "supervisord", "circus"
ALL_MANAGERS = (OURS, SUPERVISORD, CIRCUS)

Figures = dict[str, float]


class Bench:
    """The parts that every measurement needs; what it leaves behind is in ``root``."""

    def __init__(self, peers: Path, root: Path) -> None:
        self._peers = peers
        self._root = root

    @contextmanager
    def running(
        self, manager_name: str, wanted: list[dict[str, Any]]
    ) -> Iterator[tuple[Any, ExchangeProcess]]:
        """A manager that knows ``wanted`` and runs none of them yet, and its exchange."""
        exchange = ExchangeProcess()
        # Removed with all others at the end: ext4 looks past every inode that was freed within
        # minutes, so that each measurement would be slower than the one before.
        folder = Path(tempfile.mkdtemp(prefix=f"{manager_name}-", dir=self._root))
        manager: Process
        if manager_name == OURS:
            manager = ExecsvcManager(exchange, folder)
        elif manager_name == SUPERVISORD:
            manager = Supervisord(exchange, folder, wanted, self._peers)
        else:
            manager = Circus(exchange, folder, wanted, self._peers)
        try:
            yield manager, exchange
        finally:
            _end(manager)
            exchange.close()


def start(bench: Bench, manager_name: str, bots: int) -> Figures:
    """Seconds from the listing to the last first tick, then from TERM to the last bot gone."""
    wanted = rows(bots, interval=5.0)
    with bench.running(manager_name, wanted) as (manager, exchange):
        computed = exchange.seen().cpu
        began = manager.run_bots(wanted)
        ready = max(exchange.first_ticks(bots).values()) - began
        share = (exchange.seen().cpu - computed) / ready
        wait(lambda: len(manager.bots()) == bots, "every bot has its title")
        return {"start": ready, "stop": manager.stop(), "exchange_share": 100 * share}


def memory(bench: Bench, manager_name: str, bots: int, ticks: int) -> Figures:
    """MB of private memory a bot, after so many ticks and a full collection; the mean of all."""
    wanted = rows(bots, interval=0.1, collects=ticks - 5)
    with bench.running(manager_name, wanted) as (manager, exchange):
        manager.run_bots(wanted)
        exchange.wait_for_ticks(ticks, bots)
        return {"memory": mean_private(manager), "manager": private(manager.pid)}


def restart(bench: Bench, manager_name: str) -> Figures:
    """Seconds from kill -9 of a bot that holds a position to the first tick of its successor."""
    wanted = rows(10, interval=0.5, buys="0.01")
    with bench.running(manager_name, wanted) as (manager, exchange):
        manager.run_bots(wanted)
        exchange.wait_for_ticks(8, 10)
        victim = manager.bots()["b3"]
        exchange.forget()
        killed = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        found = {"restart": _first_after(exchange, "b3", killed) - killed}
        if isinstance(manager, ExecsvcManager):
            shown = {bot["bot_id"]: bot for bot in status(manager)["bots"]}
            found["recovered"] = float(shown["b3"]["position"]["tracked"] == "0.01")
        return found


def status(manager: ExecsvcManager) -> dict[str, Any]:
    """``/status``, by the control socket."""
    return control_socket.ask(manager.runtime_dir, {"call": "status"}, 10.0)


def private(pid: int) -> float:
    """MB that belong to one process alone."""
    return memory_of(pid, "Private_.*")


def mean_private(manager: Process) -> float:
    """The same of the bots of a manager, on the average."""
    held = of_running(manager.bots().values(), private)
    return sum(held) / len(held)


def _first_after(exchange: ExchangeProcess, key: str, moment: float) -> float:
    def ticks() -> list[float]:
        return [at for bot_key, at in exchange.seen().ticks if bot_key == key and at > moment]

    wait(lambda: bool(ticks()), "the successor ticks")
    return ticks()[0]


def _end(manager: Process) -> None:
    """Nothing of it is left, also when a measurement failed half way."""
    if not manager.pid:
        return
    manager.abandon()
