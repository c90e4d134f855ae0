"""The effect of a fault on the right answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from execsvc.paper.terms import INSUFFICIENT
from execsvc.sandbox.faults import FaultKind, Rule
from execsvc.sandbox.state import SandboxState
from execsvc.sandbox.wire import HttpReply, Manner, json_text, refusal

Perform = Callable[[], HttpReply]
"""Performs the request, and returns the right answer."""

_PATCHES: dict[FaultKind, dict[str, Any]] = {
    FaultKind.NULL_FILLED: {
        "details": {"filled": None, "remaining": None, "average": None, "cost": None}
    },
    FaultKind.NO_DETAILS: {"details": None},
    FaultKind.NO_FEE: {"details": {"fee": None, "fees": []}},
    FaultKind.OPEN: {"details": {"status": "open"}},
}
_MANNERS = {
    FaultKind.DRIP: Manner.DRIP,
    FaultKind.DRIP_HEAD: Manner.DRIP_HEAD,
    FaultKind.LIE: Manner.LIE,
    FaultKind.RESET: Manner.RESET,
    FaultKind.CLOSE: Manner.CLOSE,
    FaultKind.HANG: Manner.HANG,
    FaultKind.ENDLESS_HEAD: Manner.ENDLESS_HEAD,
}
_INSTEAD = frozenset(
    {FaultKind.REFUSE, FaultKind.STATUS, FaultKind.GARBAGE, FaultKind.BODY, FaultKind.REDIRECT}
)


def apply_fault(state: SandboxState, rule: Rule | None, perform: Perform) -> HttpReply:
    """The answer of a request to which ``rule`` applies. ``perform`` is called once, never, or later."""
    if rule is None:
        return perform()
    if rule.kind is FaultKind.SLOW:
        return _slow(state, rule, perform)
    if rule.kind is FaultKind.LATE:
        return _late(state, rule, perform)
    if rule.kind in _INSTEAD:
        if rule.executes:
            perform()
        return _substitute(rule)
    if rule.kind in _MANNERS:
        right = perform() if rule.executes else HttpReply()
        manner = _MANNERS[rule.kind]
        return replace(right, manner=manner, seconds=rule.seconds, headers=rule.headers)
    return _patched(rule, perform())


def _slow(state: SandboxState, rule: Rule, perform: Perform) -> HttpReply:
    reply = perform() if rule.executes else None
    state.stop_signal.wait(rule.seconds or 0)
    return reply or perform()


def _late(state: SandboxState, rule: Rule, perform: Perform) -> HttpReply:
    state.delayed_calls.call(rule.seconds or 0, perform)
    return _substitute(rule) if rule.status is not None else HttpReply(manner=Manner.HANG)


def _substitute(rule: Rule) -> HttpReply:
    if rule.kind is FaultKind.GARBAGE:
        return HttpReply(rule.status or 200, b"<html>Bad Gateway", rule.headers)
    if rule.kind is FaultKind.BODY:
        text = rule.body if isinstance(rule.body, str) else json_text(rule.body)
        return HttpReply(rule.status or 200, text.encode(), rule.headers)
    if rule.kind is FaultKind.REDIRECT:
        return HttpReply(rule.status or 307, b"", {"Location": rule.detail or "/", **rule.headers})
    usual = INSUFFICIENT if rule.kind is FaultKind.REFUSE else "exchange request failed"
    return refusal(rule.detail or usual, rule.status or 500, rule.headers)


def _patched(rule: Rule, reply: HttpReply) -> HttpReply:
    if reply.status != 200:
        return reply
    answer = json.loads(reply.body)
    for patch in (_PATCHES.get(rule.kind), rule.body if rule.kind is FaultKind.PATCH else None):
        answer = _merged(answer, patch) if patch is not None else answer
    if rule.order_status is not None:
        answer = _merged(answer, {"details": {"status": rule.order_status}})
    return replace(reply, body=json_text(answer).encode(), headers=rule.headers)


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
