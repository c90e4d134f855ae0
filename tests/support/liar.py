"""Stands between the daemon and the sandbox, and lies on the bare socket where a test says so."""

from __future__ import annotations

import http.client
import json
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from support.wire_server import WireServer
from support.wire_server import http as whole

Lie = bytes | Callable[[socket.socket, bytes], None]
"""The bytes in place of the right answer, or the function that sends them, given that answer."""
ANYBODY = "*"


class Liar:
    """Passes every request on but those that it was told to lie to, by call and account."""

    def __init__(self, sandbox_url: str) -> None:
        self._sandbox = urlsplit(sandbox_url)
        self._lies: dict[tuple[str, str], Lie] = {}
        self._unheard: set[tuple[str, str]] = set()
        self.told: Counter[tuple[str, str]] = Counter()
        self._server = WireServer(self._answer)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def lie(self, call: str, lie: Lie, key: str = ANYBODY, heard: bool = True) -> None:
        """Answer ``call`` of ``key`` with ``lie``.

        A call is one of bots, balance, ticker, depth, trades, buy, sell and lookup. The request
        reaches the sandbox all the same, if it is ``heard``.
        """
        self._lies[call, key] = lie
        if not heard:
            self._unheard.add((call, key))

    def repent(self) -> None:
        """Nothing but the truth from now on."""
        self._lies.clear()

    def stop(self) -> None:
        """Take no more connections."""
        self._server.stop()

    def _answer(self, connection: socket.socket, request: bytes) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        call, key = _named(path, body)
        for place in ((call, key), (call, ANYBODY)):
            lie = self._lies.get(place)
            if lie is None:
                continue
            truth = b"" if place in self._unheard else self._forwarded(method, path, body)
            self.told[place] += 1
            if isinstance(lie, bytes):
                connection.sendall(lie)
            else:
                lie(connection, truth)
            connection.close()
            return
        connection.sendall(self._forwarded(method, path, body))

    def _forwarded(self, method: str, path: str, body: bytes) -> bytes:
        passed = http.client.HTTPConnection(str(self._sandbox.hostname), self._sandbox.port)
        try:
            passed.request(method, path, body or None, {"Content-Type": "application/json"})
            answer = passed.getresponse()
            kept = {"Retry-After": text} if (text := answer.getheader("Retry-After")) else {}
            return whole(f"{answer.status} {answer.reason}", answer.read(), **kept)
        finally:
            passed.close()


def liar(sandbox_url: str) -> Iterator[Liar]:
    """For a fixture: a liar that is stopped with the test."""
    made = Liar(sandbox_url)
    yield made
    made.stop()


def patched(**members: object) -> Lie:
    """The right answer with these members of ``details`` changed."""

    def lie(connection: socket.socket, truth: bytes) -> None:
        answer = json.loads(truth.partition(b"\r\n\r\n")[2])
        details = {**answer["details"], **members}
        connection.sendall(whole("200 OK", json.dumps({**answer, "details": details}).encode()))

    return lie


def _named(path: str, body: bytes) -> tuple[str, str]:
    """The call that a request is, and its account."""
    url = urlsplit(path)
    parts = url.path.strip("/").split("/")
    if parts[0] == "order" and not body:
        return "lookup", ""
    if parts[0] == "order":
        order = json.loads(body)
        return order["side"], order["key_id"]
    if parts[0] == "balance":
        return "balance", unquote(parts[1])
    return parts[-1], parse_qs(url.query).get("key_id", [""])[0]
