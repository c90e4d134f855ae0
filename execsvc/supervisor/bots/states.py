"""The states of a bot, and every transition between them."""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """The state of a bot in ``/status``."""

    BOOTING = "BOOTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    BACKOFF = "BACKOFF"
    HELD = "HELD"
    FAILED = "FAILED"
    LIQUIDATING = "LIQUIDATING"
    INVALID = "INVALID"


_S = State

ARROWS: dict[State, frozenset[State]] = {
    _S.BOOTING: frozenset(
        {
            _S.RUNNING,
            _S.STOPPING,
            _S.STOPPED,
            _S.BACKOFF,
            _S.HELD,
            _S.FAILED,
            _S.LIQUIDATING,
            _S.INVALID,
        }
    ),
    _S.RUNNING: frozenset(
        {_S.BOOTING, _S.STOPPING, _S.BACKOFF, _S.FAILED, _S.LIQUIDATING, _S.INVALID}
    ),
    _S.STOPPING: frozenset(
        {_S.BOOTING, _S.STOPPED, _S.BACKOFF, _S.HELD, _S.FAILED, _S.LIQUIDATING, _S.INVALID}
    ),
    _S.STOPPED: frozenset({_S.BOOTING, _S.BACKOFF, _S.HELD, _S.FAILED, _S.LIQUIDATING, _S.INVALID}),
    _S.BACKOFF: frozenset({_S.BOOTING, _S.STOPPED, _S.HELD, _S.FAILED, _S.LIQUIDATING, _S.INVALID}),
    _S.HELD: frozenset({_S.BOOTING, _S.STOPPED, _S.BACKOFF, _S.FAILED, _S.LIQUIDATING, _S.INVALID}),
    _S.FAILED: frozenset({_S.BOOTING, _S.STOPPED, _S.BACKOFF, _S.HELD, _S.LIQUIDATING, _S.INVALID}),
    _S.LIQUIDATING: frozenset({_S.BOOTING, _S.STOPPED, _S.BACKOFF, _S.HELD, _S.FAILED, _S.INVALID}),
    _S.INVALID: frozenset({_S.BOOTING, _S.STOPPED, _S.BACKOFF, _S.HELD, _S.FAILED, _S.LIQUIDATING}),
}
"""The states to which each state leads."""


def entered(before: State, state: State) -> State:
    """``state``, entered from ``before``. Raises ValueError where there is no such transition."""
    if state not in ARROWS[before]:
        raise ValueError(f"no transition leads from {before.value} to {state.value}")
    return state
