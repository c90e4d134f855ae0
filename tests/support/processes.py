"""Processes as others see them, for whom a process that is gone is an answer and never an error.

Between two looks a process may end, be a zombie for as long as its parent likes, be reaped, and its
pid may go to another process. Where a test is wrong when the process is gone, ``os.kill`` says so.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_GONE = (ProcessLookupError, FileNotFoundError, psutil.NoSuchProcess)
"""A file of /proc that is open already says ESRCH once its process is reaped, not ENOENT."""
_HIDDEN = (PermissionError, psutil.AccessDenied)
"""Of another user; or a zombie, which to anybody but root is root's."""
_ENDED = {"Z", "X", "x"}


@dataclass(frozen=True)
class Process:
    """One process, whether or not it still lives."""

    pid: int
    started: int
    """Clock ticks since the boot, by which a successor under the same pid is told apart."""

    @property
    def lives(self) -> bool:
        """False for a process that ended, reaped or not, and for a successor under its pid."""
        seen = _stat(self.pid)
        return seen is not None and seen[1] == self.started and seen[0] not in _ENDED

    @property
    def title(self) -> str:
        """Its command line, separated by spaces; empty when it has ended."""
        with suppress(*_GONE, *_HIDDEN):
            text = Path(f"/proc/{self.pid}/cmdline").read_bytes().decode(errors="replace")
            return text.rstrip("\0").replace("\0", " ") if self.lives else ""
        return ""

    @property
    def opened(self) -> list[Path]:
        """The files that its descriptors stand for; none when it has ended, or is another user's."""
        return [Path(name) for name in _opened(self.pid)] if self.lives else []

    @property
    def ports(self) -> list[int]:
        """The TCP ports that it listens on."""
        with suppress(*_GONE, *_HIDDEN):
            connections = psutil.Process(self.pid).net_connections(kind="tcp")
            found = [c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN]
            return found if self.lives else []
        return []

    def children(self, recursive: bool = False) -> list[Process]:
        """Its children, the oldest first, and with ``recursive`` theirs."""
        with suppress(*_GONE):
            children = psutil.Process(self.pid).children(recursive)
            found = [child for child in map(find, (c.pid for c in children)) if child]
            return sorted(found, key=age) if self.lives else []
        return []

    def send(self, signum: int) -> bool:
        """Send a signal, to no other process than this one; False when it is gone."""
        with suppress(*_GONE):
            # From here on the number may be given again, the descriptor stays with its process.
            descriptor = os.pidfd_open(self.pid)
            try:
                seen = _stat(self.pid)
                if seen is not None and seen[1] == self.started:
                    signal.pidfd_send_signal(descriptor, signum)
                    return True
            finally:
                os.close(descriptor)
        return False

    def kill(self) -> bool:
        """Kill it; False when it is gone."""
        return self.send(signal.SIGKILL)

    def suspend(self) -> bool:
        """Let it stand still; False when it is gone."""
        return self.send(signal.SIGSTOP)


def age(process: Process) -> tuple[int, int]:
    """The key by which the oldest comes first."""
    return process.started, process.pid


def find(pid: int) -> Process | None:
    """The process with this pid, a zombie as well; None when there is none."""
    seen = _stat(pid)
    return Process(pid, seen[1]) if seen is not None else None


def is_alive(pid: int) -> bool:
    """False also for a process that ended and is not reaped yet."""
    found = find(pid)
    return found is not None and found.lives


def kill(pid: int) -> bool:
    """Kill what has this pid now; False when it is gone."""
    found = find(pid)
    return found is not None and found.kill()


def kill_at_once(processes: list[Process]) -> None:
    """Kill all of them before any can act on another's death."""
    for process in processes:
        process.suspend()
    for process in processes:
        process.kill()


def children(pid: int, recursive: bool = False) -> list[Process]:
    """The children of a process; none of one that is gone."""
    found = find(pid)
    return found.children(recursive) if found is not None else []


def with_argument(argument: str) -> list[Process]:
    """The processes of this machine that have ``argument`` in their command line."""
    found = [process for process in map(find, psutil.pids()) if process]
    return [process for process in found if argument in process.title.split()]


def holding(folder: Path) -> list[Process]:
    """The processes of this machine that have something in ``folder`` open."""
    found = []
    for pid in psutil.pids():
        # Most hold nothing of it, so the cheap look comes first; the one that counts is the last.
        if _holds(_opened(pid), folder):
            process = find(pid)
            if process is not None and process.lives and _holds(_opened(pid), folder):
                found.append(process)
    return found


def _holds(opened: list[str], folder: Path) -> bool:
    inside = f"{folder}{os.sep}"
    return any(name.startswith(inside) for name in opened)


def _opened(pid: int) -> list[str]:
    """The files that the descriptors of a process stand for: text, which is quick for a whole machine."""
    found = []
    with suppress(*_GONE, *_HIDDEN):
        for descriptor in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 - of every process
            with suppress(FileNotFoundError):  # closed since; others may be open
                found.append(os.readlink(f"/proc/{pid}/fd/{descriptor}"))  # noqa: PTH115
    return found


def _stat(pid: int) -> tuple[str, int] | None:
    """State and start of a process, None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except _GONE:
        return None
    # The second field is a name in brackets, which may have spaces and brackets in it.
    fields = text.rpartition(b")")[2].split()
    return fields[0].decode(), int(fields[19])
