"""The command line as tests see it, and the control socket of a daemon as it sees that."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


Execsvc = Callable[..., Outcome]


class ControlSocket:
    """The control socket of a daemon that knows some bots and takes note of what it is told."""

    def __init__(self, runtime_dir: Path) -> None:
        self.names: dict[str, str] = {}
        self.told: list[dict[str, Any]] = []
        self.answers: dict[str, list[dict[str, Any]]] = {}
        """The answers to a call, one after the other; the last one again and again."""
        self.asked = 0
        """The count of requests."""
        self.gone_after = sys.maxsize
        """After so many more answers it hangs up."""
        self.health: dict[str, Any] = {"status": "ok", "reasons": []}
        self.health: dict[str, Any] = {"status": "ok", "reasons": []}
        runtime_dir.mkdir(mode=0o700)
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.bind(str(runtime_dir / "control.sock"))
        self._door.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        """Close the socket, and end the thread that waits on it."""
        self._door.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._door.close()

    def _serve(self) -> None:
        while True:
            try:
                knock, _ = self._door.accept()
            except OSError:
                return
            self.gone_after -= 1
            self.asked += 1
            with knock, knock.makefile("rwb") as stream:
                if self.gone_after < 0:
                    continue
                stream.write(json.dumps(self._answer(json.loads(stream.readline()))).encode())
                stream.write(b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["call"] == "status":
            return {"bots": [{"bot_id": key, "name": name} for key, name in self.names.items()]}
        if request["call"] == "health":
            return self.health
        if request["call"] != "unfinished":
            self.told.append(request)
        answers = self.answers.get(request["call"], [{"done": True}])
        return answers.pop(0) if len(answers) > 1 else answers[0]
