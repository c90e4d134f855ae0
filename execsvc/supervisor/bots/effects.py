"""The effects of a fact about a bot: frozen values, which are carried out in one place."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from execsvc.events import EventName
from execsvc.runner.job import Task
from execsvc.supervisor.bots.bot_process import StopMode


class Act(Enum):
    """An effect that has no details."""

    READ_LEDGER = "read the bot's ledger; the answer is the fact LedgerRead"
    ALLOW_REENTRY = "let the next start enter after an earlier stop loss"
    COUNT_RESTART = "count a restart of a bot"
    FORGET = "forget the bot"


class WriteLog(NamedTuple):
    """Write a line to the log."""

    level: str
    event: EventName
    text: str
    pid: int | None = None
    """The process that the line is about."""


class Wake(NamedTuple):
    """Have the next step of the bot decided again at this time, on the loop's clock, at the latest."""

    at: float


class SendStop(NamedTuple):
    """Send a process the signal to end."""

    pid: int
    mode: StopMode


class Kill(NamedTuple):
    """Kill a process and its session."""

    pid: int


class Queue(NamedTuple):
    """Have the processes forked that the bot wants; ``first``: before those of other bots."""

    first: bool = False


class ClaimAccount(NamedTuple):
    """Claim an account for a process; the answer is the fact AccountAsked."""

    key_id: str
    task: Task


class ClassifySignal(NamedTuple):
    """Find out if other runners were signalled at that time, too; the answer is SignalClassified."""

    signalled_at: float


class RememberHeld(NamedTuple):
    """Record for the next start that the bot is HELD; ``keeps`` is None when it is not."""

    keeps: bool | None


class NotePosition(NamedTuple):
    """Show the position among the recent events, if it has changed."""

    position: dict[str, str | None]


Effect = (
    Act
    | WriteLog
    | Wake
    | SendStop
    | Kill
    | Queue
    | ClaimAccount
    | ClassifySignal
    | RememberHeld
    | NotePosition
)
