"""The five records of one bot: desired, process, known position, hold, schedule. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

from execsvc.model.bot import BotSpec
from execsvc.runner.job import Task
from execsvc.runner.report import Snapshot
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots.bot_process import BotProcess
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.processes.restarts import Crashes


class Desired(NamedTuple):
    """The wishes of BotService and of operators for a bot, as far as they are known."""

    listed: Listed = Listed.UNSEEN
    booting: bool = False
    """True while its row is BOOTING."""
    row: BotSpec | None = None
    """The last row that could be used."""
    invalid_name: str = ""
    """The name in the last row that could not be used."""
    row_error: str | None = None
    """The reason why its row, or a change of its row, is not used."""
    refused: BotSpec | None = None
    """The row of a change that its check has refused."""
    closing: bool = False
    """True when the bot was told to stop and liquidate, and was not seen flat since."""
    abandoning: bool = False
    """True while an operator's decision to give up its position is not booked."""
    given_back: str | None = None
    """The reason why a stop is reported to BotService for which no user there has asked."""


class Processes(NamedTuple):
    """The processes of a bot."""

    owner: BotProcess | None = None
    """The process that owns its ledger."""
    check: BotProcess | None = None
    """The process that checks a changed row."""
    queued: Task | None = None
    """The task for which a process is to be forked."""
    to_check: BotSpec | None = None
    """The changed row for which a process is to be forked that checks it."""
    last: Snapshot = Snapshot()
    """The last report of its latest process that trades."""
    error: str | None = None
    """The fault of its latest process, or of the try to have one."""
    ever_ran: bool = False


class KnownPosition(NamedTuple):
    """The ledger of a bot as it was read last, and the faults that keep it from being read or closed."""

    ledger: LedgerState | None = None
    current: bool = False
    """True from a read of the ledger until a process works on it, or it may have been changed by hand."""
    unreadable: str | None = None
    """The reason why the ledger could not be read; the position is unknown then."""
    outage: str | None = None
    """The reason of the latest end of a process that could not read or write the ledger."""
    liquidation_failed: bool = False
    elsewhere: str | None = None
    """The reason why no process of this host may work on its account: another host has it."""
    not_abandoned: str | None = None
    """The reason why the last try to book that its position is given up has failed."""

    @property
    def is_open(self) -> bool:
        """True unless the ledger shows for certain that the bot is flat."""
        return self.unreadable is not None or (self.ledger is not None and self.ledger.is_open)

    @property
    def unavailable(self) -> str | None:
        """The reason why the ledger cannot be read or written at present; None for a damaged ledger."""
        if self.unreadable is not None and not self.current:
            return self.unreadable
        return self.outage


class Hold(NamedTuple):
    """A decision that stands until an event ends it: HELD or FAILED."""

    state: State
    detail: str
    keeps: bool = False
    row: BotSpec | None = None
    """The row a FAILED bot had; another one ends the hold."""
    unsure: bool = False
    """True when the bot is HELD only because the record of HELD bots cannot be read."""
    foreign: bool = False
    """True when the bot is FAILED as another service, which may also run it, trades its account."""


class PendingSignalDecision(NamedTuple):
    """A decision about a runner that ended on a signal from outside: other runners may have, too."""

    due: float
    signalled_at: float
    keeps: bool
    retry_at: float
    """The time of the liquidation of what the runner left, if the bot turns out to be HELD."""


class HoldRecord(NamedTuple):
    """The hold of a bot, if there is one. Moments are seconds of the loop's own clock."""

    hold: Hold | None = None
    pending: PendingSignalDecision | None = None
    signalled_at: float = -math.inf
    """The time at which its runner last stopped on a signal from outside the service."""

    @property
    def is_failed(self) -> bool:
        """True while the bot is FAILED."""
        return self.hold is not None and self.hold.state is State.FAILED

    @property
    def is_held(self) -> bool:
        """True while the bot is HELD."""
        return self.hold is not None and self.hold.state is State.HELD


class Schedule(NamedTuple):
    """The schedule of a bot. Moments are seconds of the loop's own clock."""

    not_before: float = -math.inf
    """The time of its next start, at the earliest."""
    liquidate_at: float = -math.inf
    """The time of the next try to close its position, at the earliest."""
    check_after: float = -math.inf
    """The time of the next check of a changed row, at the earliest."""
    crashes: Crashes = Crashes()
    outages: Crashes = Crashes()
    """The ends of its processes because its ledger could not be read or written at that moment."""
    crashed: bool = False
    """True when its next start is a restart."""
    restart_count: int = 0
