"""What makes this supervisor the only one: its lock, its port, its control socket."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from execsvc.errors import Unavailable
from execsvc.ledger.file_lock import FileLock
from execsvc.settings import SOCKET_NAME, Bind, Settings

BACKLOG = 1024


class Taken(Unavailable):
    """Another process has what this one needs: the state directory, the port, the socket."""


def lock_state(settings: Settings) -> FileLock:
    """The lock on the state directory, held until this process dies. Raises Taken."""
    path = settings.state_dir / "supervisor.lock"
    lock = FileLock(path)
    if not lock.try_acquire():
        pid = lock.holder()
        raise Taken(f"{settings.state_dir} is in use by another supervisor, pid {pid or 'unknown'}")
    lock.name_holder()
    return lock


def listen_http(bind: Bind) -> socket.socket:
    """A listening socket that the control plane inherits. Raises Taken."""
    family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((bind.host, bind.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Taken(f"EXECSVC_HTTP_BIND: {bind}: {error.strerror}") from None
    listener.setblocking(False)
    return listener


def listen_control(runtime_dir: Path) -> socket.socket:
    """The control socket, mode 0600; one that a dead supervisor left is replaced. Raises Taken."""
    path = runtime_dir / SOCKET_NAME
    if _answers(path):
        raise Taken(f"{path} belongs to another supervisor that is alive")
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        door.bind(str(path))
    finally:
        os.umask(mask)
    door.listen(BACKLOG)
    door.setblocking(False)
    return door


def leave_control(runtime_dir: Path) -> None:
    """Take the control socket away: who knocks from now on is told that nobody is there."""
    with contextlib.suppress(OSError):
        (runtime_dir / SOCKET_NAME).unlink()


def _answers(path: Path) -> bool:
    """True when somebody listens there; whether it has time for us does not matter."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as visitor:
        visitor.setblocking(False)
        try:
            visitor.connect(str(path))
        except BlockingIOError:
            return True  # its queue is full, so it has one
        except OSError:
            return False
    return True
