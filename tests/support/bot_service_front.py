"""Stands between the daemon and the sandbox's BotService: knows less, is away, or loses answers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import requests


class Asked(NamedTuple):
    """One request: ``method``, ``path`` as it was sent without the query, and its ``status=``."""

    method: str
    path: str
    status: str


class Fate(NamedTuple):
    """The fate of requests: passed on or not, and then answered so; None: not at all."""

    passed: bool
    status: int | None
    body: bytes = b'{"detail":"Not Found"}'


LOST = Fate(True, None)
UNHEARD = Fate(False, None)
UNKNOWN = Fate(False, 404)


class Front:
    """``rule`` says what becomes of a request, None: that it is answered as it should be."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.rule: Callable[[Asked], Fate | None] = lambda asked: None
        self.asked: list[Asked] = []
        self._over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def do_POST(self) -> None:
                outer.answer(self)

            def do_PUT(self) -> None:
                outer.answer(self)

            def log_message(self, *_: Any) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def counts(self) -> Counter[str]:
        """The count of each call, as ``METHOD path``."""
        return Counter(f"{asked.method} {asked.path}" for asked in self.asked)

    def posts(self) -> Counter[str]:
        """The same of what changes something."""
        return Counter({call: n for call, n in self.counts().items() if not call.startswith("GET")})

    def stop(self) -> None:
        """Take no more connections."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One request."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        parts = urlsplit(request.path)
        status = parse_qs(parts.query).get("status", [""])[0]
        asked = Asked(request.command, parts.path, status)
        self.asked.append(asked)
        fate = self.rule(asked)
        answered = (200, b"")
        if fate is None or fate.passed:
            answered = self._passed(request, body)
        if fate is not None:
            if fate.status is None:
                self._over.wait(60)
                request.close_connection = True
                return
            answered = (fate.status, fate.body)
        try:
            request.send_response(answered[0])
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(answered[1])))
            request.end_headers()
            request.wfile.write(answered[1])
        except OSError:
            request.close_connection = True  # the daemon is gone

    def _passed(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        kept = ("Content-Type", "Idempotency-Key", "Authorization")
        headers = {name: value for name in kept if (value := request.headers.get(name))}
        session = requests.Session()
        session.trust_env = False
        with session:
            answer = session.request(
                request.command, self._url + request.path, data=body, headers=headers, timeout=60
            )
        return answer.status_code, answer.content


def front(url: str) -> Iterator[Front]:
    """For a fixture: one that is stopped with the test."""
    made = Front(url)
    yield made
    made.stop()
