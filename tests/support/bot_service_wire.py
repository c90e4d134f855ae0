"""BotService as a reporting worker meets it in a test: the sandbox's own calls, without a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from execsvc.clients.answers import HttpAnswer
from execsvc.clients.http import HttpClient, NotSent
from execsvc.errors import NotFound, Unavailable
from execsvc.sandbox.routes import answer
from execsvc.sandbox.server import Sandbox
from execsvc.sandbox.wire import HttpRequest

FILLED = ("ORDER", "SENT", "EXECUTION", "FILLED")
FAILED = ("ORDER", "SENT", "FAILED")


class Dead(BaseException):
    """The process was killed here."""


class Wire(HttpClient):
    """Takes each request to the sandbox, and to its fate.

    A fate is one of ``ok``, ``500``, ``400``, ``503``, ``garbage``, ``unsent``, ``lost`` (taken, not
    answered), ``die`` (before anything) and ``die after`` (taken, and dead at once).
    """

    def __init__(self, fates: Iterable[str] = ()) -> None:
        super().__init__("http://sandbox", None, 1.0)
        self.sandbox = Sandbox(bots=[{"id": f"b{number}"} for number in range(5)])
        self.fates = iter(fates)
        self.always: dict[str, str] = {}
        """The fate of every request that holds this text."""

    def write(self, call: str, method: str, path: str, body: str, key: str | None) -> HttpAnswer:
        """One request."""
        fate = next((f for text, f in self.always.items() if text in path + body), None)
        fate = fate or next(self.fates, "ok")
        if fate == "die":
            raise Dead
        if fate == "unsent":
            raise NotSent(f"{call}: cannot connect")
        if fate.isdigit():
            return HttpAnswer(call, int(fate), b'{"detail": "no"}', None)
        reply = self._taken(call, method, path, body, key)
        if fate == "die after":
            raise Dead
        if fate == "lost":
            raise Unavailable(f"{call}: no answer within 1 s")
        return reply if fate == "ok" else HttpAnswer(call, 200, b"<html>", None)

    def get(self, call: str, path: str, params: Mapping[str, str | int]) -> Any:
        """The result of a read."""
        fate = next((f for text, f in self.always.items() if text in f"GET {path}"), "ok")
        if fate != "ok":
            raise Unavailable(f"{call}: {fate}")
        segments = tuple(unquote(segment) for segment in path.strip("/").split("/"))
        reply = answer(self.sandbox.state, HttpRequest("GET", segments, {}, {}, b""))
        if reply.status == 404:
            raise NotFound(f"{call}: HTTP 404")
        return HttpAnswer(call, reply.status, reply.body, None).json()

    def taken(self) -> list[dict[str, Any]]:
        """Everything that BotService took."""
        return self.sandbox.state.reports.all()

    def _taken(self, call: str, method: str, path: str, body: str, key: str | None) -> HttpAnswer:
        headers = {} if key is None else {"Idempotency-Key": key}
        segments = tuple(unquote(segment) for segment in path.strip("/").split("/"))
        reply = answer(
            self.sandbox.state, HttpRequest(method, segments, {}, headers, body.encode("utf-8"))
        )
        assert reply.status in (200, 201, 400, 404), (path, body, reply)
        return HttpAnswer(call, reply.status, reply.body, None)


def order_of(told: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The reports on each bot, in their order, as ``order what``; an order goes by its key."""
    keys = {entry["id"]: entry["key"] for entry in told if entry["what"] == "ORDER"}
    found: dict[str, list[str]] = {}
    for entry in told:
        order = str(keys[entry["id"]]).removesuffix("-order")
        found.setdefault(entry["bot_id"], []).append(f"{order} {entry['what']}")
    return found


def kinds(told: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The reports on each order, in their order, without those that were made twice."""
    found: dict[str, tuple[str, ...]] = {}
    for entries in order_of(told).values():
        for entry in dict.fromkeys(entries):
            order, what = entry.split()
            found[order] = (*found.get(order, ()), what)
    return found


def orders_told(told: list[dict[str, Any]], what: tuple[str, ...]) -> set[str]:
    """The orders of which exactly this was told."""
    return {order for order, tale in kinds(told).items() if tale == what}


def all_ended(told: list[dict[str, Any]]) -> bool:
    """True when BotService knows of every order how it ended."""
    return all(tale in (FILLED, FAILED) for tale in kinds(told).values())
