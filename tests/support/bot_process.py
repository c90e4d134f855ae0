"""One bot's real process, forked in a test without a supervisor, against a sandbox."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from support.deadline import PATIENCE, eventually

from execsvc import logs, settings
from execsvc.failpoints import Failpoint, watch
from execsvc.model.bot import parse_row
from execsvc.runner.job import Job, Task
from execsvc.runner.process import run
from execsvc.runner.report import Snapshot, decode

FAST = {
    "EXECSVC_TICK_INTERVAL": "0.1",
    "EXECSVC_REQUEST_TIMEOUT": "2",
    "EXECSVC_ORDER_TIMEOUT": "2",
    "EXECSVC_SETTLEMENT_WINDOW": "2",
    "EXECSVC_LIQUIDATION_ATTEMPTS": "3",
    "EXECSVC_LIQUIDATION_BACKOFF": "0.1",
    "EXECSVC_STOP_TIMEOUT": "30",
    "EXECSVC_LOG_LEVEL": "DEBUG",
}


def bot_row(bot_id: str = "b1", **changes: Any) -> dict[str, Any]:
    """A row of BotService: a bot that buys once and holds, unless ``changes`` say otherwise."""
    given = {"key": "k1", "symbol": "BTC/USDT", "mode": "LIVE", "strategy": "test_trading_v1"}
    given.update(changes)
    settings_member: dict[str, Any] = {
        "exchange": given["key"],
        "symbol": given["symbol"],
        "mode": given["mode"],
    }
    if "allocation" in given:
        settings_member["account_allocation"] = given["allocation"]
    params = {"allocation_ratio": "0.1", "hold_duration": 3600, "loop_count": 1}
    risk = {"risk_management": given["risk"]} if "risk" in given else {}
    return {
        "id": bot_id,
        "name": f"bot {bot_id}",
        "status": "RUNNING",
        "status_message": None,
        "global_settings": settings_member,
        "pipeline": {
            "strategy": {"id": given["strategy"], "params": {**params, **given.get("params", {})}},
            "triggers": {"interval_sec": given.get("interval", 0.1)},
            **risk,
        },
    }


class BotProcess:
    """A forked runner, and all that it reported."""

    def __init__(self, pid: int, report: int, lifeline: int) -> None:
        self.pid = pid
        self.snapshots: list[Snapshot] = []
        self.code: int | None = None
        self._report = report
        self._lifeline = lifeline
        self._rest = b""

    @property
    def last(self) -> Snapshot:
        """The last report of the process."""
        self._drain()
        return self.snapshots[-1] if self.snapshots else Snapshot()

    @property
    def ended(self) -> bool:
        """True once it is dead."""
        return self._ended()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def orphan(self) -> None:
        """Let it lose its supervisor."""
        os.close(self._lifeline)
        self._lifeline = -1

    def wait(self, within: float = PATIENCE) -> int:
        """Its exit code (negative: the signal that killed it)."""
        eventually(self._ended, f"end of pid {self.pid}", within)
        self._drain()
        assert self.code is not None
        return self.code

    def close(self) -> None:
        """Kill it if it still lives, and close what is open here."""
        if not self._ended():
            with suppress(ProcessLookupError):  # it has not made its session yet
                os.killpg(self.pid, signal.SIGKILL)
            os.kill(self.pid, signal.SIGKILL)  # not reaped yet, so it is there
            self.wait()
        os.close(self._report)
        if self._lifeline >= 0:
            os.close(self._lifeline)

    def _ended(self) -> bool:
        self._drain()
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def _drain(self) -> None:
        while True:
            try:
                chunk = os.read(self._report, 65536)
            except BlockingIOError:
                return
            if not chunk:
                return
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self.snapshots.extend(decode(line) for line in lines)


class BotProcesses:
    """Starts bots' processes with one state directory, and ends them all."""

    def __init__(self, url: str, folder: Path) -> None:
        self.state_dir = folder / "state"
        self._environ = {
            **FAST,
            "EXECSVC_BOT_SERVICE_URL": url,
            "EXECSVC_EXCHANGE_ADAPTER_URL": url,
            "EXECSVC_STATE_DIR": str(self.state_dir),
            "EXECSVC_RUNTIME_DIR": str(folder / "run"),
        }
        self._started: list[BotProcess] = []

    def start(
        self,
        row: dict[str, Any] | str,
        task: Task = Task.TRADE,
        watcher: Callable[[Failpoint], None] | None = None,
        **environ: str,
    ) -> BotProcess:
        """Fork a process for ``row`` (an id for LIQUIDATE); ``environ`` in EXECSVC_ names.

        ``watcher`` is called in the process at each failpoint that it passes.
        """
        loaded = settings.load({}, None, {**self._environ, **environ})
        if isinstance(row, str):
            job = Job(bot_id=row, task=Task.LIQUIDATE)
        else:
            spec = parse_row(row)
            job = Job(bot_id=spec.bot_id, task=task, spec=spec)
        lifeline_read, lifeline = os.pipe()
        report, report_write = os.pipe2(os.O_NONBLOCK)
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            watch(watcher)
            _child(job, loaded, lifeline_read, report_write, [lifeline, report])
        os.close(lifeline_read)
        os.close(report_write)
        started = BotProcess(pid, report, lifeline)
        self._started.append(started)
        return started

    def close(self) -> None:
        """End all of them."""
        for started in self._started:
            started.close()


def processes(url: str, folder: Path) -> Iterator[BotProcesses]:
    """For a fixture: bots' processes that are ended with the test."""
    started = BotProcesses(url, folder)
    yield started
    started.close()


def _child(
    job: Job, loaded: settings.Settings, lifeline: int, report: int, not_ours: list[int]
) -> None:
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGUSR2})
        os.setsid()
        # A socket of this test's garbage must not close, when it is collected, a number used again.
        gc.freeze()
        highest = os.sysconf("SC_OPEN_MAX")
        keep = sorted({0, 1, 2, lifeline, report})
        for low, high in zip(keep, [*keep[1:], min(highest, 65536)], strict=True):
            os.closerange(low + 1, high)
        logging.getLogger().handlers.clear()  # pytest's, whose files are closed here
        logs.setup(loaded.log_level, loaded.log_format)
        code = run(job, loaded, lifeline, report)
    except BaseException:  # noqa: BLE001 - it is told, and the process ends
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)
