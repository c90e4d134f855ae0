"""Requests and replies as the sandbox's calls see them, and the faults a reply can have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any


class Manner(str, Enum):
    """The way in which a reply goes over the wire."""

    PLAIN = "plain"
    RESET = "reset"
    """Nothing is sent; the connection is reset."""
    CLOSE = "close"
    """Nothing is sent; the connection is closed."""
    HANG = "hang"
    """Nothing is sent; the connection is held, then closed."""
    DRIP = "drip"
    """The body is sent one byte at a time."""
    DRIP_HEAD = "drip_head"
    """The whole reply is sent one byte at a time."""
    LIE = "lie"
    """Content-Length announces more bytes than are sent."""
    ENDLESS_HEAD = "endless_head"
    """Header lines without an end."""


@dataclass(frozen=True)
class Request:
    """One request. ``segments`` is the path, percent-decoded after it was split."""

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    waited: float = 0.0
    """Seconds from the arrival of the request's last byte at this machine until it was read."""

    def parsed(self) -> Any:
        """The JSON body, fractions as Decimal. Raises ValueError."""
        return json.loads(self.body or b"null", parse_float=Decimal)


@dataclass(frozen=True)
class Reply:
    """One reply. ``seconds``: the length of a hang (None: until the client leaves), or of a byte."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = Manner.PLAIN
    seconds: float | None = None


def json_reply(value: Any, status: int = 200) -> Reply:
    """``value`` as JSON; a Decimal becomes a number, as today's adapter writes it."""
    return Reply(status, json_text(value).encode())


def json_text(value: Any) -> str:
    """``value`` as JSON, Decimals as numbers."""
    return json.dumps(value, default=_float)


def refusal(detail: Any, status: int, headers: Mapping[str, str] | None = None) -> Reply:
    """An error in the shape of both services."""
    body = json.dumps({"detail": detail}, default=str).encode()
    return Reply(status, body, headers or {})


def _float(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
