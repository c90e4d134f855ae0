"""The broker: all processes of a host share one connection to PostgreSQL, over a unix socket.

The writes that wait when the connection is free become one statement, which the server commits by itself.
No transaction has several statements, and none is sent before the answer to the one before: a host that
freezes holds no lock.
"""

from __future__ import annotations

import selectors
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from loguru import logger

from execsvc import clock
from execsvc.errors import LedgerUnavailable, WriteUnknown
from execsvc.store.postgresql.connection import (
    ANSWER_SECONDS,
    Answer,
    DatabaseConnection,
    StatementRefused,
)
from execsvc.store.postgresql.jobs import Request, choose, refusal, replies, request, statement
from execsvc.store.postgresql.wire import Garbled, Message, MessageReader, Status, encoded

PATIENCE_SECONDS = 5.0
"""Longest time that a request waits for the connection to be free; then certainly nothing was recorded."""
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = 0.1, 2.0
"""Seconds between two tries to connect."""
_FIRST_FORGET, _NEXT_FORGET = 60.0, 3600.0
"""Seconds until the first look for ids of old writes, which is not to delay a takeover, and between two."""
_FORGET = "SELECT forget_writes()"
_RECEIVE = 1 << 16


def listen(path: Path) -> socket.socket:
    """A unix socket at ``path`` that only this user may use; one that a dead broker left is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(1024)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


@dataclass
class _Caller:
    connection: socket.socket
    reader: MessageReader = field(default_factory=MessageReader)
    unsent: bytearray = field(default_factory=bytearray)


@dataclass
class _Running:
    """The statement whose answer is awaited."""

    job: list[Request]
    deadline: float


class Broker:
    """The work of the process that has the connection. ``connect`` makes one, or raises LedgerUnavailable.

    Writes are made under the lease of ``host_id`` in its life ``incarnation``.
    """

    def __init__(
        self,
        listener: socket.socket,
        connect: Callable[[], DatabaseConnection],
        host_id: str,
        incarnation: str,
    ) -> None:
        self._listener = listener
        self._connect = connect
        self._host = (host_id, incarnation)
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._clients: dict[int, _Caller] = {}
        self._waiting: deque[Request] = deque()
        self._alone: deque[Request] = deque()
        """Writes of a batch that was refused whole: each is sent by itself."""
        self._connection: DatabaseConnection | None = None
        self._descriptor = -1
        self._running: _Running | None = None
        self._back_off = 0.0
        self._next_try = 0.0
        self._unreachable = ""
        self._forget_at = clock.monotonic() + _FIRST_FORGET

    @property
    def backend_pid(self) -> int | None:
        """The process of the server that works for this host; None while there is no connection."""
        return None if self._connection is None else self._connection.backend_pid

    def step(self, timeout: float) -> None:
        """Wait for requests and answers, ``timeout`` seconds at most, and do what is due."""
        for key, events in self._selector.select(self._wait(timeout)):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fd == self._descriptor:
                self._take_answer()
            else:
                self._serve(key.fd, events)
        self._give_up_late_answer()
        self._begin()

    def close(self) -> None:
        """End all connections; the answer to a statement on its way is lost to its clients."""
        for descriptor in list(self._clients):
            self._drop(descriptor)
        self._disconnect()
        self._selector.close()
        self._listener.close()

    def _wait(self, timeout: float) -> float:
        if self._running is not None:
            return max(min(timeout, self._running.deadline - clock.monotonic()), 0.0)
        return timeout if not self._waiting else 0.0

    # ------------------------------------------------------------------ processes of this host

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # the client has left, or there is no descriptor: it will try again
            return
        connection.setblocking(False)
        self._clients[connection.fileno()] = _Caller(connection)
        self._selector.register(connection, selectors.EVENT_READ)

    def _serve(self, descriptor: int, events: int) -> None:
        client = self._clients.get(descriptor)
        if client is None:
            return
        try:
            if events & selectors.EVENT_WRITE:
                self._send(client)
            if events & selectors.EVENT_READ:
                self._receive(client)
        except (OSError, Garbled) as error:
            if isinstance(error, Garbled):
                logger.bind(event="store_request_refused").warning(
                    "A process of this host sent the store's broker {}", error
                )
            self._drop(descriptor)

    def _receive(self, client: _Caller) -> None:
        received = client.connection.recv(_RECEIVE)
        if not received:
            raise ConnectionResetError
        for message in client.reader.feed(received):
            self._waiting.append(request(client.connection.fileno(), message, clock.monotonic()))

    def _send(self, client: _Caller) -> None:
        try:
            sent = client.connection.send(client.unsent)
        except BlockingIOError:
            sent = 0
        del client.unsent[:sent]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent else 0)
        if self._selector.get_key(client.connection).events != events:
            self._selector.modify(client.connection, events)

    def _reply(self, asked: Request, message: Message) -> None:
        client = self._clients.get(asked.client)
        if client is None:
            return
        client.unsent += encoded(message)
        try:
            self._send(client)
        except OSError:
            self._drop(asked.client)

    def _drop(self, descriptor: int) -> None:
        """Forget a client and what it waits for; its descriptor may be another client's next."""
        client = self._clients.pop(descriptor)
        self._selector.unregister(client.connection)
        client.connection.close()
        for queue in (self._waiting, self._alone):
            kept = [each for each in queue if each.client != descriptor]
            queue.clear()
            queue.extend(kept)
        if self._running is not None:
            self._running.job = [
                each._replace(client=-1) if each.client == descriptor else each
                for each in self._running.job
            ]

    # ------------------------------------------------------------------ PostgreSQL

    def _begin(self) -> None:
        """Send what waits, if the connection is free and there is one."""
        while self._running is None and (self._alone or self._waiting):
            self._refuse_late_requests()
            job = self._next_job()
            if not job:
                return
            if self._connection is None and not self._connected():
                self._reply_all(job, Message([Status.UNAVAILABLE.value, self._unreachable]))
                continue
            self._run(job)
        self._forget_old_writes()

    def _forget_old_writes(self) -> None:
        """Send the statement that forgets ids of old writes, if nothing else is to be done and it is due."""
        if self._connection is None or self._running is not None:
            return
        if clock.monotonic() < self._forget_at:
            return
        self._forget_at = clock.monotonic() + _NEXT_FORGET
        try:
            self._connection.send(_FORGET)
        except LedgerUnavailable:
            self._disconnect()
        else:
            self._running = _Running([], clock.monotonic() + ANSWER_SECONDS)

    def _next_job(self) -> list[Request]:
        if self._alone:
            return [self._alone.popleft()]
        if not self._waiting:
            return []
        job = choose(self._waiting)
        chosen = set(map(id, job))
        self._waiting = deque(each for each in self._waiting if id(each) not in chosen)
        return job

    def _run(self, job: list[Request]) -> None:
        assert self._connection is not None
        try:
            text, values = statement(*self._host, job)
            self._connection.send(text, values)
        except WriteUnknown as error:
            self._lose(job, str(error))
        except (LedgerUnavailable, UnicodeError) as error:
            self._disconnect()
            self._reply_all(job, Message([Status.UNAVAILABLE.value, str(error)]))
        else:
            self._running = _Running(job, clock.monotonic() + ANSWER_SECONDS)

    def _take_answer(self) -> None:
        if self._connection is None:
            return
        running = self._running
        try:
            answer = self._connection.poll()
        except WriteUnknown as error:
            self._lose([] if running is None else running.job, str(error))
        except StatementRefused as error:
            self._refused([] if running is None else running.job, error)
        else:
            if answer is not None:
                self._answered([] if running is None else running.job, answer)

    def _answered(self, job: list[Request], answer: Answer) -> None:
        self._running = None
        if not job:
            if answer.rows != [("0",)]:
                self._forget_at = 0.0  # there may be more of them
            return
        for asked, reply in zip(job, replies(job, answer), strict=True):
            self._reply(asked, reply)

    def _refused(self, job: list[Request], error: StatementRefused) -> None:
        self._running = None
        if len(job) > 1 and not error.passes:
            self._alone.extend(each for each in job if each.client in self._clients)
        else:
            self._reply_all(job, refusal(error))

    def _give_up_late_answer(self) -> None:
        if self._running is not None and clock.monotonic() >= self._running.deadline:
            self._lose(self._running.job, "no answer of PostgreSQL in time")

    def _lose(self, job: list[Request], reason: str) -> None:
        """Reply that what was on its way may be recorded; a read was only not answered."""
        logger.bind(event="store_connection_lost").warning(
            "The store's broker has lost its connection: {}", reason
        )
        self._disconnect()
        for asked in job:
            status = Status.UNKNOWN if asked.changes else Status.UNAVAILABLE
            self._reply(asked, Message([status.value, reason]))

    def _refuse_late_requests(self) -> None:
        oldest = clock.monotonic() - PATIENCE_SECONDS
        late = [each for each in self._waiting if each.arrived < oldest]
        if late:
            self._waiting = deque(each for each in self._waiting if each.arrived >= oldest)
            self._reply_all(late, Message([Status.UNAVAILABLE.value, "PostgreSQL is too slow"]))

    def _reply_all(self, job: list[Request], message: Message) -> None:
        for asked in job:
            self._reply(asked, message)

    def _connected(self) -> bool:
        """True with a new connection; ``_unreachable`` says why there is none."""
        if clock.monotonic() < self._next_try:
            return False
        try:
            connection = self._connect()
        except LedgerUnavailable as error:
            self._unreachable = str(error)
            self._back_off = min(max(self._back_off * 2, _FIRST_BACK_OFF), _LONGEST_BACK_OFF)
            self._next_try = clock.monotonic() + self._back_off
            logger.bind(event="store_unreachable").warning("{}", error)
            return False
        self._back_off = 0.0
        self._connection = connection
        self._descriptor = connection.fileno()
        self._selector.register(self._descriptor, selectors.EVENT_READ)
        return True

    def _disconnect(self) -> None:
        self._running = None
        if self._connection is None:
            return
        # Before another descriptor can have its number; the connection may have closed itself already.
        self._selector.unregister(self._descriptor)
        connection, self._connection, self._descriptor = self._connection, None, -1
        connection.close()
