"""The facts that change a bot: frozen values, which the reducer takes."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from execsvc.model.bot import BotSpec, InvalidRow
from execsvc.runner.job import Task
from execsvc.runner.report import Snapshot
from execsvc.settings import Settings
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots.bot_process import BotProcess
from execsvc.supervisor.bots.next_step import Listed, ServiceMode


class Circumstances(NamedTuple):
    """The facts outside of a bot at the moment of a fact about it."""

    now: float
    """Seconds of the loop's own clock."""
    utc: datetime
    service: ServiceMode
    halted: bool
    """True while trading is halted."""
    settings: Settings
    jitter: float
    """A random number from 0 to 1."""


class Occurrence(Enum):
    """A fact that has no details."""

    DUE = "a timer of the bot has run out"
    LEDGER_READABLE = "a ledger that could not be read can be read again"
    LEDGER_CHANGED = "the ledger, or the journal of its account, was changed by hand"
    STOP_ASKED = "an operator stops the bot"
    HALTED = "trading is halted"
    RESUMED = "trading is resumed"
    SERVICE_STOPS = "the service stops, as the circumstances say"
    OUT_OF_TIME = "the time of the service to stop is over"


class LedgerFound(NamedTuple):
    """The result of one read of a ledger; the state is None without a ledger, and with a fault."""

    state: LedgerState | None = None
    away: str | None = None
    """The reason why it cannot be read at present."""
    damage: str | None = None
    """The reason why it cannot be read at all."""


class TakenUp(NamedTuple):
    """An earlier run of the service has left the bot in this state."""

    state: LedgerState
    listed: Listed


class FoundUnreadable(NamedTuple):
    """An earlier run has left a ledger that cannot be read: at present, or at all."""

    reason: str
    at_present: bool


class HeldBefore(NamedTuple):
    """The bot is HELD by the record of an earlier run."""

    detail: str
    keeps: bool
    unsure: bool


class RowListed(NamedTuple):
    """BotService lists the bot with a row that can be used."""

    row: BotSpec
    booting: bool


class RowInvalid(NamedTuple):
    """BotService lists the bot with a row that cannot be used."""

    row: InvalidRow
    booting: bool


class Unlisted(NamedTuple):
    """BotService does not want the bot to run any more."""

    why: str


class Started(NamedTuple):
    """A process works for the bot from now on."""

    process: BotProcess


class NotStarted(NamedTuple):
    """The machine had no process for the task."""

    task: Task
    reason: str | None


class Reported(NamedTuple):
    """The process ``pid`` has reported."""

    pid: int
    snapshot: Snapshot


class Ended(NamedTuple):
    """The process ``pid`` was reaped. ``snapshot``: the last report, if it was not taken before."""

    pid: int
    code: int
    snapshot: Snapshot | None
    ledger: LedgerFound
    """The ledger after that end; without meaning after a check."""


class SignalClassified(NamedTuple):
    """The signal on which the runner ended was one of many, and no operator meant this bot; or it was not."""

    one_of_many: bool


class LedgerRead(NamedTuple):
    """The ledger was read for the next step of the bot."""

    found: LedgerFound


class LedgerSeen(NamedTuple):
    """The ledger was read when the service ends: no step follows."""

    found: LedgerFound


class HeldNotRecorded(NamedTuple):
    """The record of HELD bots for the next start could not be written."""

    reason: str


class AccountAsked(NamedTuple):
    """The answer to a claim of the bot's account for a process."""

    task: Task
    taken: str | None
    """The reason why no process may work on the account; None when one may."""


class AccountSeen(NamedTuple):
    """The bot's account is with this host, or, of hosts that share a store, with another one."""

    elsewhere: str | None
    """The reason why this host must not run the bot; None when it may."""


class ReleaseAsked(NamedTuple):
    """An operator lets the bot go on; ``abandons``: and gives its position up."""

    abandons: bool


class GivenBack(NamedTuple):
    """BotService is told that the bot has stopped, for which no user there has asked."""

    why: str


Fact = (
    Occurrence
    | TakenUp
    | FoundUnreadable
    | HeldBefore
    | RowListed
    | RowInvalid
    | Unlisted
    | Started
    | NotStarted
    | Reported
    | Ended
    | SignalClassified
    | LedgerRead
    | LedgerSeen
    | HeldNotRecorded
    | AccountAsked
    | AccountSeen
    | ReleaseAsked
    | GivenBack
)
