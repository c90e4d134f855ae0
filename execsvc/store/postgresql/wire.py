"""Messages between the processes of a host and its broker: a JSON list and a body of bytes.

A request is ``[operation, argument, ...]``, a reply ``[status, text]``. The body of a write is the JSON of
the whole write, which the broker hands on as it is.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

_SIZES = struct.Struct(">II")
_MOST = 1 << 28
"""Bytes of the largest message: a larger one is none of ours."""


class Operation(str, Enum):
    """The calls of :class:`~execsvc.store.postgresql.remote.Remote`."""

    WRITE = "write"
    WRITTEN = "written"
    READ = "read"
    OWNERS = "owners"
    PUT = "put"
    REPLACE = "replace"
    GET = "get"


class Status(str, Enum):
    """The outcome of a call; each but the first is an error of ``Remote`` with a text."""

    DONE = "done"
    LOST = "lost"
    UNKNOWN = "unknown"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


class Message(NamedTuple):
    """A request or a reply."""

    words: list[str]
    body: bytes = b""


class Garbled(ValueError):
    """Bytes that are no message."""


def encoded(message: Message) -> bytes:
    """``message`` as it is sent."""
    head = json.dumps(message.words).encode()
    return b"".join((_SIZES.pack(len(head), len(message.body)), head, message.body))


class MessageReader:
    """The messages in a stream of bytes."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, received: bytes) -> Iterator[Message]:
        """The messages that are complete with ``received``. Raises Garbled."""
        self._waiting += received
        while len(self._waiting) >= _SIZES.size:
            head, body = _SIZES.unpack_from(self._waiting)
            end = _SIZES.size + head + body
            if end > _MOST:
                raise Garbled(f"a message of {end} bytes")
            if len(self._waiting) < end:
                return
            words = bytes(self._waiting[_SIZES.size : _SIZES.size + head])
            content = bytes(self._waiting[_SIZES.size + head : end])
            del self._waiting[:end]
            yield Message(_words(words), content)


def joined(first: bytes | None, second: bytes) -> bytes:
    """One body of two texts, of which the first may be missing."""
    text = first or b""
    return b"".join((_SIZES.pack(first is not None, len(text)), text, second))


def parted(body: bytes) -> tuple[bytes | None, bytes]:
    """The two texts of which :func:`joined` made ``body``. Raises Garbled."""
    if len(body) < _SIZES.size:
        raise Garbled("a body without two texts")
    is_there, size = _SIZES.unpack_from(body)
    end = _SIZES.size + size
    return body[_SIZES.size : end] if is_there else None, body[end:]


def _words(head: bytes) -> list[str]:
    try:
        words = json.loads(head)
    except ValueError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise Garbled("the head of a message is not a list of texts")
    return words
