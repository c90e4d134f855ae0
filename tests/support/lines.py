"""Network namespaces with a line from each to one server's, which a test cuts and mends."""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from support.environment import scrubbed

_NEW_NET = 0x40000000
_SET_ARP = 0x8955
_PERMANENT_AND_COMPLETE = 0x06
_NOWHERE = "02:00:00:00:00:99"
_HERE = Path("/proc/thread-self/ns/net")
_LIBC = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace, as long as it is open; what enters it is the calling thread alone."""

    def __init__(self) -> None:
        with _kept_here():
            if _LIBC.unshare(_NEW_NET):
                raise OSError(ctypes.get_errno(), "unshare")
            self.descriptor = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
        self.ip("link", "set", "lo", "up")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread makes, and processes that it forks, are in the namespace."""
        with _kept_here():
            _enter(self.descriptor)
            yield

    def ip(self, *arguments: str) -> str:
        """Run ip in it."""
        with self.entered():
            done = subprocess.run(
                ["ip", *arguments], env=scrubbed(), check=True, capture_output=True, text=True
            )
        return done.stdout

    def close(self) -> None:
        """Give it up; it ends with the last process in it."""
        os.close(self.descriptor)


class Line(Namespace):
    """A client's namespace, and its line to the server's; both ends have an address."""

    def __init__(self, server: Namespace, number: int) -> None:
        super().__init__()
        self._server = server
        self.theirs, self.ours = f"10.77.{number}.1", f"10.77.{number}.2"
        near, far = f"line{number}", f"far{number}"
        peer = ("peer", "name", far, "netns", f"/proc/{os.getpid()}/fd/{server.descriptor}")
        self.ip("link", "add", near, "type", "veth", *peer)
        for place, name, address in ((self, near, self.ours), (server, far, self.theirs)):
            place.ip("address", "add", f"{address}/24", "dev", name)
            place.ip("link", "set", name, "up")
        found = re.search(r"link/ether (\S+)", server.ip("link", "show", far))
        assert found is not None
        self._name, self._hardware = near, found[1]

    def cut(self) -> None:
        """Let nothing arrive any more, and no side notice that; within the namespace, at once."""
        self._lead_to(_NOWHERE)

    def mend(self) -> None:
        """The line is whole again."""
        with self.entered():
            self._lead_to(self._hardware)

    def undelivered(self) -> list[str]:
        """The namespace's TCP connections that hold data which the other side has not taken.

        A mere end of a connection counts as one byte.
        """
        with self.entered():
            rows = Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]
        return [row for row in rows if int(row.split()[4].partition(":")[0], 16) > 1]

    def _lead_to(self, hardware: str) -> None:
        address = struct.pack("H2x4s8x", socket.AF_INET, socket.inet_aton(self.theirs))
        machine = struct.pack("H6s8x", 1, bytes.fromhex(hardware.replace(":", "")))
        tail = struct.pack("i16x16s", _PERMANENT_AND_COMPLETE, self._name.encode())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, _SET_ARP, address + machine + tail)


@contextmanager
def lines(count: int) -> Iterator[tuple[Namespace, list[Line]]]:
    """The server's namespace, and so many clients' with a line to it."""
    with ExitStack() as stack:
        server = Namespace()
        stack.callback(server.close)
        made = []
        for number in range(1, count + 1):
            made.append(Line(server, number))
            stack.callback(made[-1].close)
        yield server, made


@contextmanager
def _kept_here() -> Iterator[None]:
    """Come back at the end of the block to where this thread is now."""
    before = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _enter(before)
        os.close(before)


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _NEW_NET):
        raise OSError(ctypes.get_errno(), "setns")
