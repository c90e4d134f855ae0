"""A TCP line that can be cut and heals: what is sent meanwhile waits, as the kernel would send it again."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress

BLOCK = 65536
_TCP_CLOSE = 7
LOOK = 0.05
"""Seconds between two looks whether the line has healed."""


class Line:
    """Listens on a free port and connects each client to ``port`` of this machine.

    While the line is cut, nothing is read from either side. Bytes of a client that closes stay in the
    kernel and arrive later, as over a real line; those of a client that has reset its connection
    are dropped, as it would not send them again.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._whole = threading.Event()
        self._whole.set()
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Let nothing through from now on."""
        self._whole.clear()

    def heal(self) -> None:
        """Let everything through again, also what was sent while the line was cut."""
        self._whole.set()

    def close(self) -> None:
        """Take no more clients."""
        self._closed = True
        self._whole.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with (
            client,
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self._port)) as server,
        ):
            other = {client: server, server: client}
            while other:
                self._whole.wait()
                ready, _, _ = select.select(list(other), (), (), LOOK)
                if not self._whole.is_set():
                    continue
                if any(_was_reset(side) for side in ready):
                    return
                for side in ready:
                    block = side.recv(BLOCK)
                    if block:
                        other[side].sendall(block)
                    else:
                        other.pop(side).shutdown(socket.SHUT_WR)


def _was_reset(side: socket.socket) -> bool:
    """True when the peer has reset the connection; bytes of it could still be read here."""
    state: int = side.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state == _TCP_CLOSE
