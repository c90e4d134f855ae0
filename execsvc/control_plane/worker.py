"""Gunicorn's thread worker, which ends with the supervisor and waits for no slow client.

A connection gets a thread only when the whole head of its request has arrived, so that clients
which send nothing, or a byte now and then, cost a descriptor and not one of a few threads.
"""

from __future__ import annotations

import json
import os
import select
import selectors
import signal
import socket
import threading
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from execsvc.clock import monotonic

HEAD_SECONDS = 5.0
"""Seconds that a client has for the head of its request."""
ANSWER_SECONDS = 10.0
"""Seconds that a thread has for one answer, to a client that may read it slowly."""
LARGEST_HEAD = 16 * 1024
"""Bytes after which gunicorn gets a head that has no end: gunicorn then refuses it."""
_WATCH_INTERVAL = 1.0


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection that can wait for its request without a thread."""

    data_ready = True

    def has_head(self) -> bool:
        """True when the whole head has arrived, or one that is too long, or the end of the stream."""
        try:
            arrived = self.sock.recv(LARGEST_HEAD, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        whole = not arrived or len(arrived) >= LARGEST_HEAD or b"\r\n\r\n" in arrived
        # The unread bytes would wake the poller again and again: it has to wait for more.
        low_water = 1 if whole else len(arrived) + 1
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, low_water)
        return whole

    def close(self, graceful: bool = False) -> None:
        """Close at once: gunicorn's graceful close lets a client hold up the whole worker."""
        try:
            self.sock.setblocking(False)
            # Unread bytes would reset the connection before the client has the answer.
            self.sock.recv(LARGEST_HEAD)
        except OSError:
            pass
        finally:
            self.sock.close()


class HttpWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves requests in threads; another thread watches the lifeline and the clients."""

    lifeline = -1

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[Connection, float] = {}
        self._served_since: dict[Connection, float] = {}

    def init_process(self) -> None:
        """Run the worker; called by gunicorn, returns when the worker ends."""
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        super().init_process()

    def accept(self, *args: Any) -> None:
        """Accept a connection that waits at the listener, which is the last of ``args``."""
        listener = args[-1]
        try:
            client, address = listener.accept()
        except OSError:
            return  # the client left again, or there is no descriptor for it
        self.nr_conns += 1
        connection = Connection(self.cfg, client, address, listener.getsockname())
        self._waiting[connection] = monotonic() + HEAD_SECONDS
        self._await_head(connection)

    def murder_keepalived(self, *args: Any, **kwargs: Any) -> None:
        """Close clients without a request; gunicorn calls this once in each turn of its loop."""
        super().murder_keepalived(*args, **kwargs)
        now = monotonic()
        while self._waiting and next(iter(self._waiting.values())) <= now:
            connection = next(iter(self._waiting))
            del self._waiting[connection]
            self.poller.unregister(connection.sock)
            self.nr_conns -= 1
            connection.close()

    def handle(self, conn: Connection) -> Any:
        """Answer one request, in a thread of the pool."""
        self._served_since[conn] = monotonic()
        try:
            return super().handle(conn)
        finally:
            self._served_since.pop(conn, None)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that is no HTTP: gunicorn would send a page of HTML."""
        status = _status_of(exc)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            self.log.error("Error handling request", exc_info=exc)
        body = json.dumps({"error": status.phrase.lower()}).encode() + b"\n"
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            client.sendall(head.encode() + body)
        except OSError:
            return  # the client is gone

    def _await_head(self, connection: Connection) -> None:
        if connection.has_head():
            del self._waiting[connection]
            self.enqueue_req(connection)
            return
        call = partial(self._on_readable, connection)
        self.poller.register(connection.sock, selectors.EVENT_READ, call)

    def _on_readable(self, connection: Connection, client: socket.socket) -> None:
        self.poller.unregister(client)
        self._await_head(connection)

    def _watch(self) -> None:
        lifeline = select.poll()
        lifeline.register(self.lifeline, select.POLLIN)
        while True:
            if lifeline.poll(_WATCH_INTERVAL * 1000):
                self._end()
            now = monotonic()
            for connection, since in list(self._served_since.items()):
                if now - since > ANSWER_SECONDS:
                    _shut_down_connection(connection.sock)

    def _end(self) -> None:
        """End the process: the supervisor is gone, so no request can be answered."""
        try:
            if os.getppid() == self.ppid:
                os.kill(self.ppid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # the arbiter ended between the two checks, as it should
        finally:
            os._exit(0)


def _shut_down_connection(client: socket.socket) -> None:
    """Shut the connection of a slow client down, which wakes the thread that is busy with it."""
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _status_of(exc: Exception) -> HTTPStatus:
    if isinstance(exc, errors.LimitRequestLine):
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if isinstance(exc, errors.LimitRequestHeaders):
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    if isinstance(exc, errors.ParseException):
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.INTERNAL_SERVER_ERROR
