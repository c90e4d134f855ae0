"""The managers of bots: execsvc, supervisord and circus, each behind the same few methods."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import psutil

from _bench.exchange_process import ExchangeProcess, environ, wait

T = TypeVar("T")
ONE_BOT = str(Path(__file__).with_name("one_bot.py"))


class Manager(Protocol):
    """A service that runs bots and does not run any yet."""

    pid: int

    def run_bots(self, rows: list[dict[str, Any]]) -> float:
        """Have the bots started; returns the moment from which that counts."""
        ...


class Process:
    """The process of a manager, and those of its bots."""

    def __init__(self, command: list[str], env: dict[str, str], folder: Path) -> None:
        self._log = (folder / "log").open("w")
        self.folder = folder
        self._process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            cwd=folder,
        )
        self.pid = self._process.pid

    def bots(self) -> dict[str, int]:
        """The pid of each bot, by its title."""
        found = {}
        for child in _family(self.pid):
            try:
                title = " ".join(child.cmdline())
            except psutil.NoSuchProcess:
                continue
            if title.startswith("execsvc: bot "):
                found[title.split()[2]] = child.pid
        return found

    def pids(self) -> list[int]:
        """The manager's process and all that it has started."""
        return [self.pid, *(process.pid for process in _family(self.pid))]

    def stop(self) -> float:
        """TERM; seconds until the last bot is gone."""
        watched = select.poll()
        descriptors = of_running(self.bots().values(), os.pidfd_open)
        for descriptor in descriptors:
            watched.register(descriptor, select.POLLIN)
        began = time.monotonic()
        self._process.terminate()
        left = set(descriptors)
        while left:
            for descriptor, _ in watched.poll(60_000):
                watched.unregister(descriptor)
                left.discard(descriptor)
        gone = time.monotonic() - began
        for descriptor in descriptors:
            os.close(descriptor)
        self.end()
        return gone

    def end(self) -> None:
        """Wait for the manager to end; by force if it must be."""
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def abandon(self) -> None:
        """End it wherever it is; nothing of it is left, also of what it started."""
        family = _family(self.pid)
        self._process.terminate()
        self.end()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _family(pid: int) -> list[psutil.Process]:
    """The descendants of a process; none once it is gone."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def of_running(pids: Iterable[int], look: Callable[[int], T]) -> list[T]:
    """The result of ``look`` for each process, without those that are gone."""
    seen = []
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            seen.append(look(pid))
    return seen


def memory_of(pid: int, kind: str) -> float:
    """MB of a kind, ``Pss`` or ``Private_.*``, that a process has."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kb) for kb in re.findall(rf"^{kind}:\s+(\d+)", text, re.MULTILINE)) / 1024


def cpu_of(pid: int) -> float:
    """Seconds of CPU of one process until now, by the scheduler: psutil's have steps of 10 ms."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


class ExecsvcManager(Process):
    """``execsvc run``."""

    def __init__(self, exchange: ExchangeProcess, folder: Path) -> None:
        self._exchange = exchange
        exchange.list_bots([])
        env = environ(folder, exchange.url)
        super().__init__([sys.executable, "-m", "execsvc", "run"], env, folder)
        self.runtime_dir = folder / "run"
        wait((self.runtime_dir / "control.sock").exists, "execsvc is up")
        time.sleep(1.0)

    def run_bots(self, rows: list[dict[str, Any]]) -> float:
        """From the answer of the listing that has them."""
        self._exchange.list_bots(rows)
        wait(lambda: self._exchange.seen().listed_at > 0, "a listing")
        return self._exchange.seen().listed_at


class Supervisord(Process):
    """One program a bot under supervisord."""

    def __init__(
        self, exchange: ExchangeProcess, folder: Path, rows: list[dict[str, Any]], peers: Path
    ) -> None:
        exchange.list_bots([])
        socket = folder / "s.sock"
        lines = [
            "[supervisord]",
            "nodaemon=true",
            f"logfile={folder}/s.log",
            f"pidfile={folder}/s.pid",
        ]
        lines += ["minfds=8192", "minprocs=4096", "silent=true"]
        lines += ["[unix_http_server]", f"file={socket}", "[rpcinterface:supervisor]"]
        lines += ["supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface"]
        for name, script in _scripts(folder, rows):
            lines += [f"[program:{name}]", f"command={script}", "autostart=false"]
            lines += ["autorestart=true", f"stderr_logfile={folder}/{name}.err"]
            lines += ["stdout_logfile=NONE"]
        # supervisord stops one group after the other, and each program is a group unless it is in one.
        lines += ["[group:bots]", "programs=" + ",".join(row["id"] for row in rows)]
        (folder / "s.conf").write_text("\n".join(lines) + "\n")
        command = [str(peers / "bin/supervisord"), "-c", str(folder / "s.conf")]
        super().__init__(command, environ(folder, exchange.url), folder)
        wait(socket.exists, "supervisord is up")
        self._proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_unix(socket))

    def run_bots(self, rows: list[dict[str, Any]]) -> float:
        """From the request to start them all."""
        began = time.monotonic()
        self._proxy.supervisor.startAllProcesses(False)
        return began


class Circus(Process):
    """One watcher a bot under circus."""

    def __init__(
        self, exchange: ExchangeProcess, folder: Path, rows: list[dict[str, Any]], peers: Path
    ) -> None:
        exchange.list_bots([])
        lines = ["[circus]", f"endpoint = ipc://{folder}/c.sock", "check_delay = 1"]
        lines += [f"pubsub_endpoint = ipc://{folder}/p.sock", "warmup_delay = 0"]
        for name, script in _scripts(folder, rows):
            lines += [f"[watcher:{name}]", f"cmd = {script}", "copy_env = true", "warmup_delay = 0"]
        (folder / "c.ini").write_text("\n".join(lines) + "\n")
        self._command = [str(peers / "bin/circusd"), str(folder / "c.ini")]
        self._env = environ(folder, exchange.url)
        self._folder = folder
        self.pid = 0

    def run_bots(self, rows: list[dict[str, Any]]) -> float:
        """From its own start, some 0.4 s more: it starts many watchers at once only then."""
        began = time.monotonic()
        super().__init__(self._command, self._env, self._folder)
        return began


def _scripts(folder: Path, rows: list[dict[str, Any]]) -> Iterator[tuple[str, Path]]:
    """A script for each bot, with the bot's name: a command line of its own would need quoting."""
    for row in rows:
        script = folder / f"{row['id']}.sh"
        command = shlex.join([sys.executable, ONE_BOT, json.dumps(row)])
        script.write_text(f"#!/bin/sh\nexec {command}\n")
        script.chmod(0o700)
        yield row["id"], script


def _unix(path: Path) -> Any:
    """The transport by which supervisor's own command line reaches a socket."""
    import http.client
    import socket

    class Connection(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.connect(str(path))

    class Transport(xmlrpc.client.Transport):
        def make_connection(self, host: Any) -> Connection:
            return Connection("localhost")

    return Transport()
