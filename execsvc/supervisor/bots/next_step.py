"""The decision about the next step of a bot that has no process at present. Pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from execsvc.supervisor.bots.states import State


class ServiceMode(Enum):
    """The activity of the service as a whole."""

    RUNNING = "RUNNING"
    LIQUIDATE = "it stops, and every position is closed"
    KEEP = "it stops, and positions are kept"


class Listed(Enum):
    """The state of a bot in the listings of BotService."""

    UNSEEN = "no listing since the start has settled it"
    VALID = "listed"
    INVALID = "listed, with a row that cannot be used"
    GONE = "not listed"


class Step(Enum):
    """The action for a bot."""

    START = "START"
    LIQUIDATE = "LIQUIDATE"
    ABANDON = "ABANDON"
    REST = "REST"


class Case(NamedTuple):
    """All facts on which the decision depends."""

    service: ServiceMode
    listed: Listed
    hold: State | None
    """HELD or FAILED, when one of them stands."""
    keeps: bool
    """True when the bot is HELD and keeps its position."""
    is_open: bool
    """True when its ledger shows an open position, or cannot be read."""
    readable: bool
    moved: bool
    """True when the bot had another mode, key, symbol or strategy when its position was opened."""
    closing: bool
    """True when the bot was told to stop and liquidate; it starts again only once it is flat."""
    halted: bool
    """True while trading is halted: no bot starts, and none keeps a position."""
    elsewhere: bool = False
    """True when another host has the account of the bot, which rests here until this host has it."""
    abandoning: bool = False
    """True when an operator gives up its position; that is booked before any other step."""


def next_step(case: Case) -> tuple[Step, State]:
    """The step, and the state in which the bot rests once there is nothing left to close."""
    rest = _rest(case)
    if case.elsewhere:
        return Step.REST, State.BACKOFF if rest is State.BOOTING else rest
    if case.abandoning and case.readable:
        return Step.ABANDON, rest
    if _is_to_close(case):
        return Step.LIQUIDATE, rest
    if rest is not State.BOOTING:
        return Step.REST, rest
    if case.halted or case.service is not ServiceMode.RUNNING:
        return Step.REST, State.STOPPED
    return Step.START, rest


def _is_to_close(case: Case) -> bool:
    if not case.is_open or not case.readable or case.service is ServiceMode.KEEP:
        return False
    if case.halted:
        return True
    if case.keeps and case.listed is not Listed.GONE:
        return False
    if case.service is ServiceMode.LIQUIDATE or case.closing:
        return True
    if case.listed is Listed.UNSEEN:
        return False  # the first good listing decides whether the bot resumes or its position is closed
    wanted = case.listed is Listed.VALID and case.hold is None
    return not wanted or case.moved


def _rest(case: Case) -> State:
    """The state of the bot when nothing is open; BOOTING stands for a bot that is to run."""
    if case.hold is not None:
        return case.hold
    if case.service is ServiceMode.KEEP and case.is_open:
        return State.HELD
    if case.listed is Listed.UNSEEN:
        return State.STOPPED if case.halted else State.BACKOFF
    if case.listed is Listed.INVALID:
        return State.INVALID
    return State.BOOTING if case.listed is Listed.VALID else State.STOPPED
