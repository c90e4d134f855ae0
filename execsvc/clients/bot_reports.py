"""BotService: reports of orders, and of bots that start and stop."""

from __future__ import annotations

import re

from execsvc.clients.answers import HttpAnswer
from execsvc.clients.http import HttpClient, json_object, segment
from execsvc.errors import Unavailable
from execsvc.model.order_report import ExecutionReport, OrderReport

_CONFLICT = 409
_BAD_REQUEST = 400
_NOT_FOUND = 404
_UNKNOWN_CALL = frozenset({_NOT_FOUND, 405, 501})
_MISSING = r"(?<![\w/.-]){}(?!\.?[\w/-])"
"""A word of a sentence; not one in a path that a gateway repeats, as in ``/bot-service/orders``."""
_ALREADY_REPORTED = re.compile(r"exist|already|duplicate|unique|exchange_trade_id", re.IGNORECASE)
"""The words of a bad request about an execution that was reported before."""
_PROXY_ERRORS = frozenset({502, 503, 504})
"""The statuses with which a proxy answers for a service that does not."""

Id = str | int


class ReportRefused(Unavailable):
    """BotService answered, but refused the report: it may take others."""


class NoSuchCall(ReportRefused):
    """BotService answered 404, 405 or 501, and named no bot that it lacks: it may not know the
    call.
    """


class RecordLost(ReportRefused):
    """BotService answered 404 and named the session or the order: it has lost its record."""


class BotReports:
    """The reports to BotService; each call may be repeated.

    All raise ReportRefused for an answer that is a refusal, and Unavailable when there is no
    answer, or the service asks us to stay away (``retry_after`` seconds).
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def order(self, order: OrderReport, key: str, session: Id | None = None) -> Id:
        """Report an order of ``session``; ``key`` is the same on every resend. Returns its id."""
        call = "POST /orders"
        named = {} if session is None else {"session_id": session}
        body = json_object({**order.model_dump(), **named})
        answer = self._http.write(call, "POST", "/orders", body, f"{key}-order")
        if answer.status in _UNKNOWN_CALL and answer.retry_after is None:
            names = _names_what_is_missing(answer.detail(), order.bot_id)
            if answer.status != _NOT_FOUND or not names:
                raise NoSuchCall(self._http.describe_failure(answer))
            if session is not None and _names(answer.detail(), "session"):
                raise RecordLost(self._http.describe_failure(answer))
        return _id(call, self._accept(answer))

    def status(self, given: Id, status: str) -> None:
        """Report the status of the order that was given the id ``given``. Raises RecordLost too."""
        path = f"/orders/{segment(str(given))}/status"
        body = json_object({"status": status})
        # A conflict says that the order is there already, as a resend would find it.
        answer = self._http.write("PUT /orders/{id}/status", "PUT", path, body, None)
        self._accept_for_order(answer)

    def execution(self, given: Id, execution: ExecutionReport, key: str) -> None:
        """Report the execution of the order that was given the id ``given``. Raises RecordLost too."""
        call, path = "POST /executions", "/executions"
        body = json_object({"local_order_id": given, **execution.model_dump()})
        answer = self._http.write(call, "POST", path, body, f"{key}-execution")
        # A resend of one that is there is a bad request to today's service: the trade id is its key.
        # Any other bad request is a refusal: what BotService lacks must not count as delivered.
        known = (
            answer.status == _BAD_REQUEST and _ALREADY_REPORTED.search(answer.detail()) is not None
        )
        if not known:
            self._accept_for_order(answer)

    def _accept_for_order(self, answer: HttpAnswer) -> None:
        """Raise RecordLost when BotService does not know an order that was reported before."""
        if answer.status == _NOT_FOUND and _names(answer.detail(), "order"):
            raise RecordLost(self._http.describe_failure(answer))
        self._accept(answer, _CONFLICT)

    def started(self, bot_id: str) -> Id | None:
        """Report that a bot which was asked to start runs; returns the session that is opened for
        it.
        """
        path = f"/bots/{segment(bot_id)}/start"
        return _session(self._send("POST /bots/{id}/start", "POST", path, "{}", None, _CONFLICT))

    def stopped(self, bot_id: str) -> Id | None:
        """Report that a bot is flat and does not run; returns the session that this ends.

        A bot without a session is no error.
        """
        path = f"/bots/{segment(bot_id)}/stop"
        accepted = (_CONFLICT, _BAD_REQUEST)
        return _session(self._send("POST /bots/{id}/stop", "POST", path, "{}", None, *accepted))

    def _send(
        self, call: str, method: str, path: str, body: str, key: str | None, *accepted: int
    ) -> HttpAnswer:
        return self._accept(self._http.write(call, method, path, body, key), *accepted)

    def _accept(self, answer: HttpAnswer, *accepted: int) -> HttpAnswer:
        if answer.is_success:
            return _refuse_non_json(answer)
        if answer.status in accepted:
            return answer
        text = self._http.describe_failure(answer)
        if answer.retry_after is not None or answer.status in _PROXY_ERRORS:
            raise Unavailable(text, answer.retry_after)
        raise ReportRefused(text)


def _names_what_is_missing(detail: str, bot_id: str) -> bool:
    """True when a 404 is about this order's bot or session, not about the call."""
    return _names(detail, "bot", "session", bot_id)


def _names(detail: str, *words: str) -> bool:
    """True when ``detail`` has one of ``words``, in any case, as a word of a sentence."""
    choice = "|".join(map(re.escape, words))
    return re.search(_MISSING.format(f"({choice})"), detail, re.IGNORECASE) is not None


def _refuse_non_json(answer: HttpAnswer) -> HttpAnswer:
    """``answer``, unless it is a page of some other service."""
    try:
        if answer.body:
            answer.json()
    except Unavailable as error:
        raise ReportRefused(str(error)) from None
    return answer


def _id(call: str, answer: HttpAnswer) -> Id:
    body = answer.json() if answer.body else None
    given = body.get("id") if isinstance(body, dict) else None
    if isinstance(given, bool) or not isinstance(given, (str, int)) or given == "":
        raise ReportRefused(f"{call}: the answer has no id")
    if isinstance(given, str) and not _can_be_sent(given):
        raise ReportRefused(f"{call}: the id in the answer cannot be sent back")
    return given


def _session(answer: HttpAnswer) -> Id | None:
    """The session in an answer; None where BotService gives none, or one that cannot be named."""
    try:
        body = answer.json() if answer.is_success and answer.body else None
        member = "bot_id" in body if isinstance(body, dict) else False
        return _id(answer.call, answer) if member else None
    except Unavailable:
        return None


def _can_be_sent(given: str) -> bool:
    """False for lone surrogates, which JSON can carry and no path can."""
    try:
        given.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
