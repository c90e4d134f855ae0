"""journald's socket, and what was sent to it, read as journald reads it."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
"""Without these journald refuses a record that comes as a file."""

Entry = dict[str, str]


class FakeJournal:
    """A datagram socket that is not read, except by a test that asks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def read(self) -> list[Entry]:
        """The records that came in since the last call."""
        entries = []
        while True:
            try:
                entries.append(self._one())
            except BlockingIOError:
                return entries

    def fill(self) -> int:
        """Send it datagrams until its queue takes no more; how many it took."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            count = 0
            while True:
                try:
                    sender.sendto(b"MESSAGE=filler\n", str(self.path))
                except BlockingIOError:
                    return count
                count += 1

    @contextmanager
    def followed(self) -> Iterator[list[Entry]]:
        """The records, as they come in, as the journal's own process reads it."""
        entries: list[Entry] = []
        over = threading.Event()

        def follow() -> None:
            while not over.is_set():
                if select.select([self._socket], [], [], 0.05)[0]:
                    entries.extend(self.read())

        thread = threading.Thread(target=follow)
        thread.start()
        try:
            yield entries
        finally:
            over.set()
            thread.join()

    def close(self) -> None:
        """Close the socket: no process listens any more."""
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _one(self) -> Entry:
        data, files, _, _ = socket.recv_fds(self._socket, 1 << 20, 4)
        if not files:
            return parsed(data)
        assert not data, "a record is in the datagram or in a file, not in both"
        (descriptor,) = files
        with os.fdopen(descriptor, "rb") as file:
            assert fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & SEALS == SEALS
            file.seek(0)
            return parsed(file.read())


def parsed(data: bytes) -> Entry:
    """The fields of one record; a name that comes twice, or one that journald refuses, fails."""
    entry: Entry = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack("<Q", data[:8])
            value, end, data = (
                data[8 : 8 + length],
                data[8 + length : 9 + length],
                data[9 + length :],
            )
            assert end == b"\n"
        text = name.decode("ascii")
        assert text.replace("_", "A").isalnum(), text
        assert text == text.upper(), text
        assert text[0] not in "_0123456789", text
        assert text not in entry, f"{text} twice"
        entry[text] = value.decode("utf-8")
    return entry
