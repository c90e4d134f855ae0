"""The control socket of the real program: no client makes the supervisor wait, or end."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.requirements import needs

from execsvc.supervisor.control.server import MOST_CLIENTS


@contextmanager
def client(daemon: Daemon) -> Iterator[socket.socket]:
    """A connection to the control socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(20)
        connection.connect(f"{daemon.environ['EXECSVC_RUNTIME_DIR']}/control.sock")
        yield connection


def answer(daemon: Daemon, line: bytes) -> dict[str, object]:
    """The supervisor's answer to ``line``; empty when it hangs up."""
    with client(daemon) as connection:
        connection.sendall(line)
        heard = b""
        while not heard.endswith(b"\n"):
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                part = b""
            if not part:
                return {}
            heard += part
    found: dict[str, object] = json.loads(heard)
    return found


def serves(daemon: Daemon, pid: int) -> None:
    """The same supervisor answers at both sockets, and its bot still ticks."""
    assert answer(daemon, b'{"call": "status"}\n')["pid"] == pid
    ticks = daemon.bot()["ticks"]
    eventually(lambda: daemon.bot()["ticks"] > ticks, "the bot ticks on")
    assert daemon.health()[1]["status"] == "ok"


def test_socket_and_directories_are_ours_alone(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    run = Path(daemon.environ["EXECSVC_RUNTIME_DIR"])
    path = (run / "control.sock").stat()
    assert stat.S_ISSOCK(path.st_mode)
    assert (stat.S_IMODE(path.st_mode), path.st_uid) == (0o600, os.geteuid())
    assert [path.name for path in run.iterdir()] == ["control.sock"]
    for place in (run, daemon.state_dir, *(p for p in daemon.state_dir.rglob("*") if p.is_dir())):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700, place


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_runtime_directory_of_others_is_refused(daemon: Daemon, mode: int) -> None:
    run = Path(daemon.environ["EXECSVC_RUNTIME_DIR"])
    run.mkdir()
    run.chmod(mode)
    assert daemon.start(wait=False).wait() == 78
    assert "EXECSVC_RUNTIME_DIR" in daemon.log


@needs("root")
@pytest.mark.parametrize("variable", ["EXECSVC_RUNTIME_DIR", "EXECSVC_STATE_DIR"])
def test_a_directory_of_another_user_is_refused(
    daemon: Daemon, tmp_path: Path, variable: str
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, 12345, -1)
    assert daemon.start(wait=False, **{variable: str(theirs)}).wait() == 78
    assert variable in daemon.log


def test_bad_lines_disturb_nobody(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    pid = daemon.pid
    depths = b"".join(b"%s" % (b"[" * n) for n in (1, 5000, 60000))
    lines = [
        b"\n",
        b"\x00\xff\xfe\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"[]\n",
        b"null\n",
        b"{}\n",
        depths + b"\n",
        b'{"call": "nothing"}\n',
        b'{"call": null}\n',
        b'{"call": "release"}\n',
        b'{"call": "release", "bot_id": {"a": 1}}\n',
        b'{"call": "release", "bot_id": "\\ud800"}\n',
        b'{"call": "recheck", "bot_id": "nobody"}\n',
        b'{"call": ' + b"9" * 5000 + b"}\n",
    ]
    for line in lines:
        assert "error" in answer(daemon, line), line[:60]
    # Somewhere below the depth that the parser refuses, one that it takes and others choke on.
    for depth in range(850, 1000, 3):
        for member in (b"call", b"bot_id"):
            nested = b"[" * depth + b"]" * depth
            call = b"" if member == b"call" else b'"call": "recheck", '
            assert "error" in answer(daemon, b'{%s"%s": %s}\n' % (call, member, nested)), depth
    serves(daemon, pid)


def test_idle_slow_and_greedy_clients_disturb_nobody(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    pid = daemon.pid
    with ExitStack() as stack:
        halves = [stack.enter_context(client(daemon)) for _ in range(20)]
        for half in halves:
            half.sendall(b'{"call": "sta')
        greedy = stack.enter_context(client(daemon))
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            greedy.sendall(b"x" * (10 << 20))
        deaf = [stack.enter_context(client(daemon)) for _ in range(20)]
        for reader in deaf:
            reader.sendall(b'{"call": "status"}\n')  # and never reads
        for _ in range(200):
            stack.enter_context(client(daemon))
        serves(daemon, pid)
    serves(daemon, pid)


def visitors_inside(daemon: Daemon) -> int:
    """Connections to the control socket that the supervisor has accepted and not yet ended."""
    path = str(Path(daemon.environ["EXECSVC_RUNTIME_DIR"]) / "control.sock")
    sockets = psutil.Process(daemon.pid).net_connections(kind="unix")
    return sum(str(socket.laddr) == path for socket in sockets) - 1  # the listening one


def test_clients_that_leave_as_others_push_in_disturb_nobody(
    daemon: Daemon, exchange: Exchange
) -> None:
    """The client that makes room for a new one may send a request in the same moment."""
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    pid = daemon.pid
    for _ in range(5):
        with ExitStack() as stack:
            idle = [stack.enter_context(client(daemon)) for _ in range(MOST_CLIENTS)]
            eventually(lambda: visitors_inside(daemon) >= MOST_CLIENTS, "all are in")
            os.kill(pid, signal.SIGSTOP)
            try:
                for _ in range(60):
                    stack.enter_context(client(daemon)).close()
                for one in idle:
                    one.sendall(b"{}\n")
            finally:
                os.kill(pid, signal.SIGCONT)
            serves(daemon, pid)
