"""The effect of a fault on the right answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from execsvc.paper.terms import INSUFFICIENT
from execsvc.sandbox.faults import Kind, Rule
from execsvc.sandbox.state import State
from execsvc.sandbox.wire import Manner, Reply, json_text, refusal

Act = Callable[[], Reply]
"""Performs the request, and returns the right answer."""

_PATCHES: dict[Kind, dict[str, Any]] = {
    Kind.NULL_FILLED: {
        "details": {"filled": None, "remaining": None, "average": None, "cost": None}
    },
    Kind.NO_DETAILS: {"details": None},
    Kind.NO_FEE: {"details": {"fee": None, "fees": []}},
    Kind.OPEN: {"details": {"status": "open"}},
}
_MANNERS = {
    Kind.DRIP: Manner.DRIP,
    Kind.DRIP_HEAD: Manner.DRIP_HEAD,
    Kind.LIE: Manner.LIE,
    Kind.RESET: Manner.RESET,
    Kind.CLOSE: Manner.CLOSE,
    Kind.HANG: Manner.HANG,
    Kind.ENDLESS_HEAD: Manner.ENDLESS_HEAD,
}
_INSTEAD = frozenset({Kind.REFUSE, Kind.STATUS, Kind.GARBAGE, Kind.BODY, Kind.REDIRECT})


def strike(state: State, rule: Rule | None, act: Act) -> Reply:
    """The answer of a request that ``rule`` strikes. ``act`` is called once, never, or later."""
    if rule is None:
        return act()
    if rule.kind is Kind.SLOW:
        return _slow(state, rule, act)
    if rule.kind is Kind.LATE:
        return _late(state, rule, act)
    if rule.kind in _INSTEAD:
        if rule.executes:
            act()
        return _substitute(rule)
    if rule.kind in _MANNERS:
        right = act() if rule.executes else Reply()
        manner = _MANNERS[rule.kind]
        return replace(right, manner=manner, seconds=rule.seconds, headers=rule.headers)
    return _patched(rule, act())


def _slow(state: State, rule: Rule, act: Act) -> Reply:
    reply = act() if rule.executes else None
    state.halt.wait(rule.seconds or 0)
    return reply or act()


def _late(state: State, rule: Rule, act: Act) -> Reply:
    state.later.call(rule.seconds or 0, act)
    return _substitute(rule) if rule.status is not None else Reply(manner=Manner.HANG)


def _substitute(rule: Rule) -> Reply:
    if rule.kind is Kind.GARBAGE:
        return Reply(rule.status or 200, b"<html>Bad Gateway", rule.headers)
    if rule.kind is Kind.BODY:
        text = rule.body if isinstance(rule.body, str) else json_text(rule.body)
        return Reply(rule.status or 200, text.encode(), rule.headers)
    if rule.kind is Kind.REDIRECT:
        return Reply(rule.status or 307, b"", {"Location": rule.detail or "/", **rule.headers})
    usual = INSUFFICIENT if rule.kind is Kind.REFUSE else "exchange request failed"
    return refusal(rule.detail or usual, rule.status or 500, rule.headers)


def _patched(rule: Rule, reply: Reply) -> Reply:
    if reply.status != 200:
        return reply
    answer = json.loads(reply.body)
    for patch in (_PATCHES.get(rule.kind), rule.body if rule.kind is Kind.PATCH else None):
        answer = _merged(answer, patch) if patch is not None else answer
    if rule.order_status is not None:
        answer = _merged(answer, {"details": {"status": rule.order_status}})
    return replace(reply, body=json_text(answer).encode(), headers=rule.headers)


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
