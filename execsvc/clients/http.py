"""HTTP to the two services: one session, a deadline over the whole call, no redirects; bodies in JSON."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from execsvc import __version__
from execsvc.clients.answers import HttpAnswer, Unreadable, read_body, retry_after
from execsvc.clients.bans import ban_of
from execsvc.clients.call_timer import CallTimedOut, CallTimer, Heartbeat, Stage, no_heartbeat
from execsvc.clients.session import FAULTS, Session
from execsvc.clients.sockets import ssl_context
from execsvc.errors import Banned, CallRefused, NotFound, Unavailable
from execsvc.masking import MASK, masked
from execsvc.model.market import plain

READ_ATTEMPTS = 3
LONGEST_TEXT = 300
"""Characters that are kept of a service's text."""
_NO_SUCH_CALL = frozenset({400, 405, 422, 501})


def _from_start(_: str) -> int:
    return 0


class Transient(Unavailable):
    """A call that broke, or a 5xx: a read may be tried again at once."""


class NotSent(Transient):
    """The connection was never made, or made and not used: nothing of the request has left."""


class HttpClient:
    """One service, called by one process, one call at a time."""

    def __init__(
        self, base_url: str, token: str | None, timeout: float, heartbeat: Heartbeat = no_heartbeat
    ) -> None:
        self._base_url = base_url
        self._token = token
        self._timeout = timeout
        self._timer = CallTimer(heartbeat)
        self._session = Session(base_url, _headers(token), self._timer)

    def get(self, call: str, path: str, params: Mapping[str, str | int]) -> Any:
        """The JSON of a 2xx answer, numbers exact; tried again while the deadline allows.

        ``call`` is its name in errors, ``path`` begins with a slash and is encoded. Raises
        Unavailable, with ``retry_after`` in seconds when the service asks us to stay away.
        """
        return self.get_within(self._timeout, call, path, params)

    def get_within(
        self, timeout: float, call: str, path: str, params: Mapping[str, str | int]
    ) -> Any:
        """As :meth:`get`, with ``timeout`` seconds for all of it."""
        return self.answer_within(timeout, call, path, params).json()

    def answer_within(
        self, timeout: float, call: str, path: str, params: Mapping[str, str | int]
    ) -> HttpAnswer:
        """As :meth:`get_within`, the 2xx answer itself, for a caller that reads its body."""
        url = _url(self._base_url, path, tuple(params.items()))
        self._timer.start(timeout, interruptible=True)
        try:
            return self._read(call, url)
        except Transient as error:
            fault = error
        # Outside of the block: a later attempt's error must not have this one for its cause.
        return self._retry(fault, call, url)

    def get_any_status(self, call: str, path: str) -> HttpAnswer:
        """The answer to one GET, whatever its status. Raises Unavailable."""
        self._timer.start(self._timeout, interruptible=True)
        return self._send(call, "GET", self._base_url + path, None)

    def connect(self, call: str, path: str, timeout: float, interruptible: bool) -> None:
        """Make the connection of the next :meth:`post` to ``path``, with TLS where the URL asks for it.

        Raises NotSent; StopRequested where it may be interrupted.
        """
        self._timer.start(timeout, interruptible)
        try:
            self._session.connect(self._base_url + path)
        except FAULTS as error:
            raise NotSent(f"{call}: cannot connect: {self.clean(_reason(error))}") from None

    def post(
        self, call: str, path: str, body: str, timeout: float, send_by: float = math.inf
    ) -> HttpAnswer:
        """The answer to ``body`` (JSON text), whatever its status; sent at most once.

        It goes out on the connection that :meth:`connect` has made, and not after ``send_by``, in
        monotonic seconds. Raises NotSent when nothing was sent, else Unavailable when no answer
        came within ``timeout`` seconds or could be read.
        """
        url = self._base_url + path
        self._session.keep_fresh(url)
        self._timer.start(timeout, interruptible=False, send_by=send_by)
        return self._send(call, "POST", url, body.encode("utf-8"))

    def write(self, call: str, method: str, path: str, body: str, key: str | None) -> HttpAnswer:
        """As :meth:`post`, for a request that may be repeated: interruptible, on a kept connection."""
        self._timer.start(self._timeout, interruptible=True)
        return self._send(call, method, self._base_url + path, body.encode("utf-8"), key)

    def describe_failure(
        self, answer: HttpAnswer, begin: Callable[[str], int] = _from_start
    ) -> str:
        """The text of a failure, in one line for people; of a long text from ``begin`` on."""
        failure = self._masked(answer.failure_text())
        detail = self.clean(failure[begin(failure) :])
        if 300 <= answer.status <= 399:
            detail = "redirects are refused"
        text = f"{answer.call}: HTTP {answer.status}"
        return f"{text}: {detail}" if detail else text

    def clean(self, text: str) -> str:
        """Text of a service for an error: short, without a token, should one be echoed.

        Without lone surrogates too, which JSON can carry and no log or ledger can.
        """
        return self._masked(text)[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")

    def _masked(self, text: str) -> str:
        return masked(text.replace(self._token, MASK) if self._token else text)

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass with heartbeats. Raises StopRequested."""
        self._timer.start(seconds + 1.0, interruptible=True)
        self._timer.wait(seconds)

    @property
    def timeout(self) -> float:
        """Seconds that one read may take, all of it."""
        return self._timeout

    def close(self) -> None:
        """Close the connections that are kept for the next read."""
        self._session.close()

    def _retry(self, fault: Transient, call: str, url: str) -> HttpAnswer:
        """The result of the read whose first attempt ended in ``fault``.

        tenacity would cost as much as the read, were it around each first attempt as well.
        """
        before = [fault]

        def attempt() -> HttpAnswer:
            if before:
                raise before.pop()
            return self._read(call, url)

        attempts = Retrying(
            retry=retry_if_exception_type(Transient),
            stop=stop_after_attempt(READ_ATTEMPTS) | stop_before_delay(self._timer.left()),
            wait=wait_random_exponential(multiplier=0.1, max=1.0),
            sleep=self._back_off,
            reraise=True,
        )
        answer: HttpAnswer = attempts(attempt)
        return answer

    def _read(self, call: str, url: str) -> HttpAnswer:
        answer = self._send(call, "GET", url, None)
        if answer.is_success:
            return answer
        text = self.describe_failure(answer)
        if answer.ban is not None:
            raise Banned(text, answer.ban)
        if answer.status == 404:
            raise NotFound(text)
        if answer.status in _NO_SUCH_CALL:
            raise CallRefused(text)
        if answer.status >= 500 and answer.retry_after is None:
            raise Transient(text)
        raise Unavailable(text, answer.retry_after)

    def _send(
        self, call: str, method: str, url: str, body: bytes | None, key: str | None = None
    ) -> HttpAnswer:
        pause: float | None = None
        try:
            with self._session.ask(method, url, body, key) as response:
                status = response.status_code
                pause = retry_after(status, response.headers.get("Retry-After"))
                body = read_body(status, response.headers, response.raw)
                answer = HttpAnswer(call, status, body, pause, response.headers.get("Date"))
                return answer if answer.is_success else _with_ban(answer, response.headers)
        except Unreadable as error:
            raise Unavailable(f"{call}: {self.clean(str(error))}", pause) from None
        except FAULTS as error:
            reason = self.clean(_reason(error))
            if self._timer.stage is Stage.CONNECTING:
                raise NotSent(f"{call}: cannot connect: {reason}") from None
            if self._timer.stage is Stage.CONNECTED:
                raise NotSent(f"{call}: {reason}") from None
            kind = Transient if pause is None else Unavailable
            raise kind(f"{call}: {reason}", pause) from None

    def _back_off(self, seconds: float) -> None:
        try:
            self._timer.wait(seconds)
        except CallTimedOut:
            # The next attempt raises at once, as any call without time left does.
            return


def segment(text: str) -> str:
    """``text`` as one segment of a path, also when it is ``..`` or holds slashes."""
    return text.replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


def json_object(members: Mapping[str, str | Decimal | int | None]) -> str:
    """A JSON object; a Decimal becomes a number with the digits that it has, no more.

    >>> json_object({"a": Decimal("0.10"), "b": None})
    '{"a": 0.1, "b": null}'
    """
    texts = (f"{json.dumps(name)}: {_json_value(value)}" for name, value in members.items())
    return "{" + ", ".join(texts) + "}"


def _json_value(value: str | Decimal | int | None) -> str:
    # A float would have other digits than were rounded to.
    return plain(value) if isinstance(value, Decimal) else json.dumps(value)


def _with_ban(answer: HttpAnswer, headers: Mapping[str, str]) -> HttpAnswer:
    """``answer`` with the ban that it states, if any."""
    asked = answer.retry_after if "Retry-After" in headers else None
    ban = ban_of(answer.status, answer.failure_text(), asked)
    return answer if ban is None else replace(answer, ban=ban)


def prepare_tls() -> None:
    """Create the TLS settings of a process once, before its children are forked."""
    ssl_context()


def _headers(token: str | None) -> dict[str, str]:
    headers = {
        "User-Agent": f"execsvc/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
    }
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return headers


@functools.lru_cache(maxsize=64)
def _url(base_url: str, path: str, params: tuple[tuple[str, str | int], ...]) -> str:
    """The URL of a call, cached: a bot asks for the same few again and again."""
    query = urlencode(params, quote_via=quote, safe="")
    return f"{base_url}{path}?{query}" if query else base_url + path


def _reason(error: BaseException) -> str:
    """The first cause of an error that libraries have wrapped, in words."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
