"""Client of the supervisor's control socket: a unix socket, one JSON line each way."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from execsvc.clock import monotonic
from execsvc.errors import Unavailable
from execsvc.settings import SOCKET_NAME

LARGEST_ANSWER = 64 * 1024 * 1024


def ask(runtime_dir: Path, request: dict[str, Any], timeout: float) -> dict[str, Any]:
    """The supervisor's answer, within ``timeout`` seconds. Raises Unavailable."""
    deadline = monotonic() + timeout
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(str(runtime_dir / SOCKET_NAME))
            connection.sendall(json.dumps(request).encode() + b"\n")
            line = _line(connection, deadline)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unavailable(f"the supervisor does not answer at {runtime_dir}: {reason}") from None
    return _parsed(line)


def _line(connection: socket.socket, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size <= LARGEST_ANSWER:
        left = deadline - monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        connection.settimeout(left)
        part = connection.recv(64 * 1024)
        if not part:
            raise Unavailable("the supervisor closed the connection without an answer")
        head, newline, _ = part.partition(b"\n")
        parts.append(head)
        size += len(head)
        if newline:
            return b"".join(parts)
    raise Unavailable("the supervisor's answer is too large")


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise Unavailable("the supervisor's answer is not a JSON object")
    return answer
