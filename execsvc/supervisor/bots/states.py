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


class Event(str, Enum):
    """The cause of a transition of a bot from one state to another."""

    STARTS = "a process that trades is on its way"
    TICKS = "its control loop ticks"
    STOPS = "it was told to stop, or says that it stops"
    WAITS = "it is to start, but not yet"
    LIQUIDATES = "what it left is to be closed"
    ENDS = "nothing wants it to run, and it is flat"
    HOLDS = "an operator's word, or a service that stops and holds"
    FAILS = "given up"
    REFUSES = "its row cannot be used"


_S, _E = State, Event

ARROWS: dict[tuple[State, Event], State] = {
    (_S.STOPPED, _E.STARTS): _S.BOOTING,
    (_S.STOPPED, _E.WAITS): _S.BACKOFF,
    (_S.STOPPED, _E.LIQUIDATES): _S.LIQUIDATING,
    (_S.STOPPED, _E.HOLDS): _S.HELD,
    (_S.STOPPED, _E.FAILS): _S.FAILED,
    (_S.STOPPED, _E.REFUSES): _S.INVALID,
    (_S.BOOTING, _E.TICKS): _S.RUNNING,
    (_S.BOOTING, _E.STOPS): _S.STOPPING,
    (_S.BOOTING, _E.WAITS): _S.BACKOFF,
    (_S.BOOTING, _E.LIQUIDATES): _S.LIQUIDATING,
    (_S.BOOTING, _E.ENDS): _S.STOPPED,
    (_S.BOOTING, _E.HOLDS): _S.HELD,
    (_S.BOOTING, _E.FAILS): _S.FAILED,
    (_S.BOOTING, _E.REFUSES): _S.INVALID,
    (_S.RUNNING, _E.STOPS): _S.STOPPING,
    (_S.RUNNING, _E.STARTS): _S.BOOTING,
    (_S.RUNNING, _E.WAITS): _S.BACKOFF,
    (_S.RUNNING, _E.LIQUIDATES): _S.LIQUIDATING,
    (_S.RUNNING, _E.FAILS): _S.FAILED,
    (_S.RUNNING, _E.REFUSES): _S.INVALID,
    (_S.STOPPING, _E.STARTS): _S.BOOTING,
    (_S.STOPPING, _E.WAITS): _S.BACKOFF,
    (_S.STOPPING, _E.LIQUIDATES): _S.LIQUIDATING,
    (_S.STOPPING, _E.ENDS): _S.STOPPED,
    (_S.STOPPING, _E.HOLDS): _S.HELD,
    (_S.STOPPING, _E.FAILS): _S.FAILED,
    (_S.STOPPING, _E.REFUSES): _S.INVALID,
    (_S.BACKOFF, _E.STARTS): _S.BOOTING,
    (_S.BACKOFF, _E.LIQUIDATES): _S.LIQUIDATING,
    (_S.BACKOFF, _E.ENDS): _S.STOPPED,
    (_S.BACKOFF, _E.HOLDS): _S.HELD,
    (_S.BACKOFF, _E.FAILS): _S.FAILED,
    (_S.BACKOFF, _E.REFUSES): _S.INVALID,
    (_S.LIQUIDATING, _E.STARTS): _S.BOOTING,
    (_S.LIQUIDATING, _E.WAITS): _S.BACKOFF,
    (_S.LIQUIDATING, _E.ENDS): _S.STOPPED,
    (_S.LIQUIDATING, _E.HOLDS): _S.HELD,
    (_S.LIQUIDATING, _E.FAILS): _S.FAILED,
    (_S.LIQUIDATING, _E.REFUSES): _S.INVALID,
    (_S.HELD, _E.STARTS): _S.BOOTING,
    (_S.HELD, _E.WAITS): _S.BACKOFF,
    (_S.HELD, _E.LIQUIDATES): _S.LIQUIDATING,
    (_S.HELD, _E.ENDS): _S.STOPPED,
    (_S.HELD, _E.FAILS): _S.FAILED,
    (_S.HELD, _E.REFUSES): _S.INVALID,
    (_S.FAILED, _E.STARTS): _S.BOOTING,
    (_S.FAILED, _E.WAITS): _S.BACKOFF,
    (_S.FAILED, _E.LIQUIDATES): _S.LIQUIDATING,
    (_S.FAILED, _E.ENDS): _S.STOPPED,
    (_S.FAILED, _E.HOLDS): _S.HELD,
    (_S.FAILED, _E.REFUSES): _S.INVALID,
    (_S.INVALID, _E.STARTS): _S.BOOTING,
    (_S.INVALID, _E.WAITS): _S.BACKOFF,
    (_S.INVALID, _E.LIQUIDATES): _S.LIQUIDATING,
    (_S.INVALID, _E.ENDS): _S.STOPPED,
    (_S.INVALID, _E.HOLDS): _S.HELD,
    (_S.INVALID, _E.FAILS): _S.FAILED,
}

TOWARDS: dict[State, Event] = {
    _S.BACKOFF: _E.WAITS,
    _S.LIQUIDATING: _E.LIQUIDATES,
    _S.STOPPED: _E.ENDS,
    _S.HELD: _E.HOLDS,
    _S.FAILED: _E.FAILS,
    _S.INVALID: _E.REFUSES,
}
"""The event that leads to a state in which a bot has no process that trades."""


def after(state: State, event: Event) -> State:
    """The state to which ``event`` leads from ``state``. Raises KeyError where there is no transition."""
    return ARROWS[state, event]
