"""The supervisor among its children: deaths, gaps, many bots, its lock and its sockets."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest
import requests
from support import processes
from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.processes import Process
from support.scripted_service import Scripted
from support.verdicts import CONTROL_PLANE

from execsvc.settings import SOCKET_NAME


def worker_of(master: Process) -> Process:
    return eventually(master.children, "gunicorn's worker")[0]


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("which", ["master", "worker"])
def test_the_control_plane_comes_back(
    running: Scripted, which: str, signum: signal.Signals
) -> None:
    master = eventually(lambda: processes.find(running.child(CONTROL_PLANE)), "the control plane")
    worker = worker_of(master)
    victim = worker if which == "worker" else master
    assert victim.send(signum)
    eventually(lambda: not victim.lives, f"the {which} has ended", 60)
    # The listening socket is the supervisor's: whoever connects meanwhile waits, and is answered.
    assert requests.get(f"http://127.0.0.1:{running.port}/health", timeout=60).status_code == 200
    assert running.bot()["restarts"] == 0


def test_signals_that_gunicorn_would_obey_are_ignored(running: Scripted) -> None:
    master = running.child(CONTROL_PLANE)
    for signum in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        os.kill(master, signum)
    family = {process.pid for process in running.family()}
    assert running.health()[0] == 200
    assert running.child(CONTROL_PLANE) == master
    assert {process.pid for process in running.family()} <= family


@pytest.mark.says("loop_stalled")
def test_a_supervisor_that_stood_still_kills_nobody(service: Scripted, bots: Exchange) -> None:
    bots.list_bots(*[bot_row(f"b{n}") for n in range(3)])
    service.start(EXECSVC_HANG_TIMEOUT="8", EXECSVC_STOP_TIMEOUT="8")
    eventually(lambda: service.status()["running_bots"] == 3)
    service.signal(signal.SIGSTOP)
    began = time.monotonic()
    eventually(lambda: time.monotonic() - began > 17)
    service.signal(signal.SIGCONT)
    eventually(lambda: "stood still" in service.log)
    polls = bots.requests_of("bots")
    eventually(lambda: bots.requests_of("bots") > polls + 6)
    assert service.status()["counts"] == {"RUNNING": 3}
    assert all(service.history(f"b{n}") == ["TRADE"] for n in range(3))


def test_a_hundred_bots_run_and_one_that_hangs_delays_nobody(
    service: Scripted, bots: Exchange
) -> None:
    service.direct("b7", act="boot_for_ever")
    service.direct("b8", act="crash")
    service.direct("b9", act="litter")
    bots.list_bots(*[bot_row(f"b{n}") for n in range(100)])
    service.start()
    eventually(lambda: service.status()["running_bots"] == 97, within=60)
    assert service.bot("b7")["state"] == "BOOTING"
    assert service.bot("b7")["last_error"] == "waiting for pid 1"
    assert service.stop() == 0


@pytest.mark.says("status_shown")
def test_usr1_writes_the_status_to_the_log(running: Scripted) -> None:
    running.signal(signal.SIGUSR1)
    eventually(lambda: "bot_id b1, name bot b1" in running.log)
    assert running.bot()["state"] == "RUNNING"


def test_the_control_socket_is_private_and_takes_what_comes(running: Scripted) -> None:
    path = running.folder / "run" / SOCKET_NAME
    assert path.stat().st_mode & 0o777 == 0o600
    assert running.ask("nonsense") == {"error": "no such call"}
    for request in (b"\n", b"[]\n", b"{" * 10_000 + b"\n", b"\xff\n"):
        assert b"not a JSON object" in exchange_bytes(path, request)
    assert exchange_bytes(path, b"x" * 70_000) == b""
    assert running.ask("health")["status"] == "ok"


def test_slow_clients_hold_nobody_up(running: Scripted) -> None:
    path = running.folder / "run" / SOCKET_NAME
    clients = []
    for _ in range(100):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.connect(str(path))
        client.sendall(b'{"call": ')
        clients.append(client)
    assert running.ask("health")["status"] == "ok"
    for client in clients:
        client.close()
    assert running.ask("health")["status"] == "ok"


def test_systemd_is_told(service: Scripted, bots: Exchange, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(30)
        listener.bind(str(tmp_path / "notify"))
        bots.list_bots(bot_row())
        service.start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="1000000")
        assert listener.recv(200).startswith((b"STATUS=", b"READY=1"))
        seen = b""
        while b"WATCHDOG=1" not in seen or b"STATUS=1 RUNNING" not in seen:
            seen += listener.recv(200)
        service.signal(signal.SIGTERM)
        while b"STOPPING=1" not in seen:
            seen += listener.recv(200)
    assert service.wait() == 0


def test_a_quiet_minute_says_nothing(service: Scripted, bots: Exchange) -> None:
    bots.list_bots(*[bot_row(f"b{n}") for n in range(10)])
    service.start()
    eventually(lambda: service.status()["running_bots"] == 10)
    before = service.log.count("\n")
    polls = bots.requests_of("bots")
    eventually(lambda: bots.requests_of("bots") > polls + 30)
    assert service.log.count("\n") == before
    assert before < 30


def exchange_bytes(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(30)
        client.connect(str(path))
        try:
            client.sendall(request)
            return client.recv(65536)
        except OSError:
            return b""
