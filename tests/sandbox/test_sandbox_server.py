from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from support.deadline import eventually
from support.environment import scrubbed

import execsvc
from execsvc.sandbox.server import Sandbox

ROOT = Path(execsvc.__file__).parents[1]
PROGRAM = [
    sys.executable,
    "-c",
    "import sys; from execsvc.cli import main; sys.exit(main())",
    "sandbox",
]
DEADLINE = 60.0

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command; what still runs at the end is killed."""
    started = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=scrubbed(PYTHONPATH=str(ROOT)),
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def listening(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line
    return found.group()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_server_signal_ends_at_once_with_0(start: Start, ending: signal.Signals) -> None:
    process = start("--port", "0")
    url = listening(process)
    hang = {"kind": "hang", "call": "bots", "times": None}
    requests.post(f"{url}/sandbox/faults", json=hang, timeout=60)
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as waiting:
        waiting.sendall(b"GET /bots HTTP/1.1\r\nHost: x\r\n\r\n")
        process.send_signal(ending)
        assert process.communicate(timeout=DEADLINE) == ("", "")
    assert process.returncode == 0


def test_server_lists_the_bots_of_a_file(start: Start, tmp_path: Path) -> None:
    rows = [{"id": "x", "status": "RUNNING"}, "malformed"]
    file = tmp_path / "bots.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    url = listening(start("--port", "0", "--bots", str(file)))
    assert requests.get(f"{url}/bots?status=RUNNING", timeout=60).json() == rows


@pytest.mark.parametrize("content", [None, "{}", "[", "\x00"])
def test_server_unusable_file_of_bots_is_refused(
    start: Start, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "bots.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    process = start("--port", "0", "--bots", str(file))
    told, error = process.communicate(timeout=DEADLINE)
    assert (process.returncode, told, error.count("\n")) == (78, "", 1)


def test_server_taken_port_exits_69(start: Start, sandbox: Sandbox) -> None:
    port = sandbox.url.rsplit(":", 1)[1]
    process = start("--port", port)
    told, error = process.communicate(timeout=DEADLINE)
    assert (process.returncode, told, error.count("\n")) == (69, "", 1)
    assert port in error


def test_server_stopped_answers_nothing_and_restarted_keeps_its_state(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        session.post(f"{sandbox.url}/bots", json={"id": "x"}, timeout=60)
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(f"{sandbox.url}/bots", timeout=60)
        sandbox.start()
        assert session.get(f"{sandbox.url}/bots", timeout=60).json()[0]["id"] == "x"


def test_a_stop_ends_every_wait(sandbox: Sandbox) -> None:
    rule = {"kind": "hang", "times": None}
    requests.post(f"{sandbox.url}/sandbox/faults", json=rule, timeout=60)
    outcomes = []

    def ask() -> None:
        try:
            requests.get(f"{sandbox.url}/bots", timeout=DEADLINE)
        except requests.RequestException as error:
            outcomes.append(type(error))

    asking = threading.Thread(target=ask)
    asking.start()
    faults = f"{sandbox.url}/sandbox/faults"
    eventually(lambda: requests.get(faults, timeout=60).json()[0]["hits"])
    sandbox.stop()
    asking.join(DEADLINE)
    assert outcomes == [requests.ConnectionError]


def test_connections_are_kept(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1]))) as connection:
        connection.settimeout(DEADLINE)
        for _ in range(3):
            connection.sendall(b"GET /bots HTTP/1.1\r\nHost: x\r\n\r\n")
            told = b""
            while not told.endswith(b"\r\n\r\n[]"):
                told += connection.recv(1000)
            assert told.startswith(b"HTTP/1.1 200 OK\r\n")


def test_two_hundred_clients_at_once(sandbox: Sandbox) -> None:
    barrier = threading.Barrier(200, timeout=DEADLINE)

    def work(number: int) -> list[int]:
        with requests.Session() as session:
            barrier.wait()
            query = {"key_id": f"k{number}", "symbol": "BTC/USDT"}
            calls = ("/market/ticker", "/market/depth", "/market/trades")
            answers = [
                session.get(sandbox.url + call, params=query, timeout=DEADLINE) for call in calls
            ]
            answers.append(session.get(f"{sandbox.url}/balance/k{number}", timeout=DEADLINE))
            return [answer.status_code for answer in answers]

    with ThreadPoolExecutor(200) as pool:
        assert set(map(tuple, pool.map(work, range(200)))) == {(200, 200, 200, 200)}
