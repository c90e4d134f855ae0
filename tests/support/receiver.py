"""An alert service on loopback: takes note of what it gets, or misbehaves as it is told."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.deadline import eventually

SECRET = "hush-alert-4177"


class Receiver:
    """Apprise's ``json://`` speaks to it. ``mood``: ``ok``, ``refuse``, ``hang`` or ``drip``."""

    def __init__(self) -> None:
        self.mood = "ok"
        self.got: list[dict[str, Any]] = []
        self.attempts = 0
        self._over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.attempts += 1
                outer.answer(self, body)

            def log_message(self, *_: Any) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """The address, with a secret in it."""
        return f"json://127.0.0.1:{self._server.server_port}/{SECRET}"

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """One request, by the mood of the moment."""
        if self.mood == "hang":
            self._over.wait(120)
            return
        if self.mood == "drip":
            request.send_response(200)
            request.flush_headers()
            while not self._over.wait(0.3) and self.mood == "drip":
                request.wfile.write(b"X-A: b\r\n")
            return
        if self.mood == "ok":
            self.got.append(json.loads(body))
        request.send_response(200 if self.mood == "ok" else 500)
        request.send_header("Content-Length", "0")
        request.end_headers()

    @property
    def titles(self) -> list[str]:
        """The texts, without their senders."""
        return [message["title"].partition(": ")[2] or message["title"] for message in self.got]

    def heard(self, title: str, within: float = 60.0) -> dict[str, Any]:
        """Wait until exactly such a title has come; the message."""
        eventually(lambda: title in self.titles, f"alert {title!r}, got {self.titles}", within)
        return self.got[self.titles.index(title)]

    def close(self) -> None:
        """End it, and every request that hangs."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
