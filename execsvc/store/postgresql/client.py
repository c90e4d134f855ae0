"""The shared records as a bot's process reaches them: through its host's broker, without psycopg."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, NoReturn

from execsvc import clock
from execsvc.errors import ClaimLost, LedgerFailed, LedgerUnavailable, WriteUnknown
from execsvc.store.postgresql.remote import Kind, Remote, Row, Write
from execsvc.store.postgresql.wire import (
    Garbled,
    Message,
    MessageReader,
    Operation,
    Status,
    encoded,
    joined,
)

CALL_SECONDS = 10.0
"""Longest wait for the broker: longer than the broker itself waits for PostgreSQL."""
_CONNECT_SECONDS = 2.0
_ERRORS: dict[str, type[LedgerFailed]] = {
    Status.LOST: ClaimLost,
    Status.UNKNOWN: WriteUnknown,
    Status.UNAVAILABLE: LedgerUnavailable,
    Status.FAILED: LedgerFailed,
}


class BrokerClient(Remote):
    """One process's connection to the broker that listens at ``path``; made at its first call.

    Not shared between processes: each makes its own after the fork.
    """

    def __init__(self, path: Path, timeout: float = CALL_SECONDS) -> None:
        self._path = path
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._reader = MessageReader()

    def write(self, write: Write) -> None:
        """Record ``write``; see :class:`Remote`."""
        words = [Operation.WRITE, write.kind, write.owner]
        self._call(words, _json_of(write))

    def written(self, write_id: str) -> bool:
        """True when that write was recorded; final."""
        return self._call([Operation.WRITTEN, write_id]) == b"t"

    def read(self, kind: Kind, owner: str) -> dict[str, list[Row]]:
        """All rows of a bot or an account by table."""
        tables: dict[str, list[list[Any]]] = json.loads(self._call([Operation.READ, kind, owner]))
        return {name: [tuple(row) for row in rows] for name, rows in tables.items()}

    def owners(self, kind: Kind) -> list[str]:
        """All bots or accounts that have records."""
        found: list[str] = json.loads(self._call([Operation.OWNERS, kind]))
        return found

    def put(self, name: str, content: bytes) -> None:
        """Keep ``content`` as the service's record ``name``."""
        self._call([Operation.PUT, name], content)

    def replace(self, name: str, former: bytes | None, content: bytes) -> bool:
        """Keep ``content`` as the service's record ``name``, if that is still ``former``."""
        return self._call([Operation.REPLACE, name], joined(former, content)) == b"t"

    def get(self, name: str) -> bytes | None:
        """The service's record ``name``; None when there is none."""
        reply = self._call([Operation.GET, name])
        return None if not reply else reply[1:]

    def close(self) -> None:
        """Close the connection; the next call makes another one."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._reader = None, MessageReader()

    def _call(self, words: list[str], body: bytes = b"") -> bytes:
        """The body of the reply; every other outcome is raised."""
        message = encoded(Message(words, body))
        deadline = clock.monotonic() + self._timeout
        connection = self._connected()
        try:
            connection.settimeout(self._timeout)
            connection.sendall(message)
            reply = self._receive(connection, deadline)
        except (OSError, Garbled) as error:
            self.close()
            self._lose(words[0], str(error) or type(error).__name__)
        except BaseException:
            self.close()  # the reply of this call must not be taken for that of the next one
            raise
        status, text = reply.words[0], reply.words[-1]
        if status != Status.DONE:
            raise _ERRORS.get(status, LedgerFailed)(text)
        return reply.body

    def _receive(self, connection: socket.socket, deadline: float) -> Message:
        while True:
            connection.settimeout(max(deadline - clock.monotonic(), 0.001))
            received = connection.recv(1 << 16)
            if not received:
                raise ConnectionError("the broker has ended the connection")
            for reply in self._reader.feed(received):
                return reply

    def _lose(self, operation: str, reason: str) -> NoReturn:
        if operation in (Operation.WRITE, Operation.PUT, Operation.REPLACE):
            raise WriteUnknown(f"the answer of the store's broker is lost: {reason}")
        raise LedgerUnavailable(f"the store's broker does not answer: {reason}")

    def _connected(self) -> socket.socket:
        if self._socket is not None and _has_ended(self._socket):
            self.close()
        if self._socket is None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(_CONNECT_SECONDS)
                connection.connect(str(self._path))
            except OSError as error:
                connection.close()
                raise LedgerUnavailable(f"the store's broker is not there: {error}") from error
            self._socket = connection
        return self._socket


def _has_ended(connection: socket.socket) -> bool:
    """True when the broker has closed a connection, on which no reply is awaited."""
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True  # the end, or a reply that comes too late


def _json_of(write: Write) -> bytes:
    try:
        return json.dumps(write, allow_nan=False).encode()
    except ValueError as error:
        raise LedgerFailed(f"a value cannot be recorded: {error}") from error
