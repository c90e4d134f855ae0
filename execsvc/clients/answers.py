"""The checks of an answer of a service: its size, its JSON, its Retry-After."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from execsvc.clock import now
from execsvc.errors import Unavailable
from execsvc.model.validation import first_fault

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes of an answer that are read; a larger one is refused."""
LONGEST_PAUSE = 3600.0
SHORTEST_PAUSE = 1.0
"""Seconds to stay away after a service says that we ask too often, without saying for how long."""
_TOO_OFTEN = frozenset({418, 429})
_BUSY = 503
_LONGEST_NUMBER = 100
_LONGEST_LENGTH = 15
_CHUNK = 64 * 1024
_LARGEST_EXPONENT = 60

Model = TypeVar("Model", bound=BaseModel)


class Unreadable(Exception):
    """An answer whose body is refused."""


class Stream(Protocol):
    """A body that is yet to be read."""

    def read(self, size: int, decode_content: bool) -> bytes:
        """The next bytes, at most ``size``; none at the end."""
        ...


@dataclass(frozen=True)
class HttpAnswer:
    """A complete HTTP answer to ``call``; ``date`` is its header.

    ``retry_after`` and ``ban`` are in seconds: how long to stay away, and how long an exchange
    refuses every call (bans).
    """

    call: str
    status: int
    body: bytes
    retry_after: float | None
    date: str | None = None
    ban: float | None = None

    @property
    def is_success(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status <= 299

    def json(self) -> Any:
        """The body, numbers exact. Raises Unavailable when it is not JSON."""
        try:
            return json.loads(
                self.body.decode("utf-8"),
                parse_float=_fraction,
                parse_int=_integer,
                parse_constant=_no_constant,
            )
        except RecursionError:
            raise Unavailable(f"{self.call}: the answer is nested too deep") from None
        except ValueError as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "bad text"
            raise Unavailable(f"{self.call}: the answer is not JSON ({reason:.100})") from None

    def detail(self) -> str:
        """The service's own text about a failure; empty when there is no readable one."""
        try:
            body = self.json()
        except Unavailable:
            return ""
        detail = body.get("detail") if isinstance(body, dict) else None
        if detail is None or isinstance(detail, str):
            return detail or ""
        return json.dumps(detail, default=str)

    def failure_text(self) -> str:
        """The text of a failure: its ``detail``, else the JSON that came instead."""
        detail = self.detail()
        if detail:
            return detail
        try:
            body = self.json()
        except Unavailable:
            return ""
        return json.dumps(body, default=str, ensure_ascii=False) if body else ""


def read(model: type[Model], call: str, content: Any) -> Model:
    """``content`` as ``model``. Raises Unavailable that names the call and the member at fault."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        member, reason = first_fault(error)
        where = f"{call}: {member}" if member else call
        raise Unavailable(f"{where}: {reason}") from None


def read_body(status: int, headers: Mapping[str, str], stream: Stream) -> bytes:
    """The whole body; nothing of a redirect's.

    Raises Unreadable when it is encoded, too large, or not as long as announced.
    """
    if 300 <= status <= 399:
        return b""
    announced = _announced_length(headers)
    coding = headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity"):
        raise Unreadable(f"Content-Encoding {coding} was not asked for")
    parts: list[bytes] = []
    size = 0
    while part := stream.read(_CHUNK, decode_content=False):
        parts.append(part)
        size += len(part)
        if size > LARGEST_BODY:
            raise Unreadable(f"the answer is larger than {LARGEST_BODY} bytes")
    if announced not in (None, size):
        raise Unreadable(f"the answer has {size} bytes, {announced} were announced")
    return b"".join(parts)


def _announced_length(headers: Mapping[str, str]) -> int | None:
    """Bytes that the body is to have, when the answer says so.

    Raises Unreadable for an impossible number.
    """
    text = headers.get("Content-Length")
    if text is None or "Transfer-Encoding" in headers:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_LENGTH):
        raise Unreadable("Content-Length is not a number of bytes")
    return int(text)


def retry_after(status: int, header: str | None) -> float | None:
    """Seconds for which a 429, 418 or 503 asks us to stay away; None when it does not."""
    if status not in _TOO_OFTEN and status != _BUSY:
        return None
    seconds = _seconds(header)
    if seconds is None:
        return SHORTEST_PAUSE if status in _TOO_OFTEN else None
    return min(max(seconds, 0.0), LONGEST_PAUSE)


def _seconds(header: str | None) -> float | None:
    """The time of a Retry-After, in seconds or as an HTTP date; None when it is unreadable."""
    if header is None:
        return None
    try:
        seconds = float(header)
        return seconds if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(header)
        return (date - now()).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _fraction(text: str) -> Decimal | str:
    """The number exactly; one of absurd size stays text, for its reader to refuse.

    A Decimal of a huge exponent is small in memory and far too large as digits.
    """
    if len(text) > _LONGEST_NUMBER:
        return text
    number = Decimal(text)
    return number if abs(number.adjusted()) <= _LARGEST_EXPONENT else text


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= _LONGEST_NUMBER else text


def _no_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is no number", "", 0)
