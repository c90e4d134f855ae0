"""The record of one bot: what is wanted of it, what it does, and what is known of its position."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from execsvc.clock import now
from execsvc.logs import bound
from execsvc.model.bot import Binding, BotSpec, Mode, named, short_name
from execsvc.model.result import unknown, unstarted, utc_day
from execsvc.runner.job import Task
from execsvc.runner.report import Snapshot, shown
from execsvc.store.abandoned import Abandoned, is_recent
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots.next_step import Case, Listed, Service
from execsvc.supervisor.bots.run import Run
from execsvc.supervisor.bots.states import Event, State, after
from execsvc.supervisor.processes.restarts import CALM, Restarts

if TYPE_CHECKING:
    from loguru import Logger

_LEFT = "left by an earlier run of the service; waits for the first good listing"


class Hold(NamedTuple):
    """A decision that stands until something ends it: HELD or FAILED."""

    state: State
    detail: str
    keeps: bool = False
    row: BotSpec | None = None
    """The row a FAILED bot had; another one ends the hold."""
    unsure: bool = False
    """The bot is HELD only because it cannot be read which bots are."""
    foreign: bool = False
    """The bot is FAILED as another service trades its account, and may be a bot of that one, too."""


class PendingSignalDecision(NamedTuple):
    """A decision about a runner that ended on a signal that was not ours: others may have, too."""

    due: float
    signalled_at: float
    keeps: bool
    retry_at: float
    """The time of the liquidation of what the runner left, if the bot turns out to be HELD."""


@dataclass
class Bot:
    """Everything the supervisor knows of one bot. Moments are seconds of the loop's own clock."""

    bot_id: str
    restarts: Restarts
    state: State = State.STOPPED
    state_since: float = 0.0
    listed: Listed = Listed.UNSEEN
    booting: bool = False
    """Its row is BOOTING, as far as is known."""
    given_back: str | None = None
    """Why BotService is told that it has stopped, though nobody there asked for that."""
    row: BotSpec | None = None
    """The last row that could be used."""
    invalid_name: str = ""
    """The name in the last row that could not be used."""
    row_error: str | None = None
    error: str | None = None
    hold: Hold | None = None
    pending_signal: PendingSignalDecision | None = None
    closing: bool = False
    """It was told to stop and liquidate, and was not seen flat since."""
    abandoning: bool = False
    """An operator gives its position up, and that is not booked yet."""
    not_abandoned: str | None = None
    """Why the last try to book that has failed."""
    run: Run | None = None
    check: Run | None = None
    queued: Task | None = None
    to_check: BotSpec | None = None
    refused: BotSpec | None = None
    check_after: float = -math.inf
    last: Snapshot = field(default_factory=Snapshot)
    """The last report of its latest process that trades."""
    ledger: LedgerState | None = None
    unreadable: str | None = None
    ledger_known: bool = False
    not_before: float = -math.inf
    liquidate_at: float = -math.inf
    liquidation_failed: bool = False
    signalled_at: float = -math.inf
    """When its runner last stopped on a signal that was not ours."""
    crashed: bool = False
    restart_count: int = 0
    ever_ran: bool = False
    outages: Restarts = field(default_factory=lambda: Restarts(None, CALM))
    """Its processes that ended because its ledger could not be read or written at that moment."""
    outage: str | None = None
    """Why the latest of them did."""
    position_noted: dict[str, str | None] | None = None
    """The position that was last shown among the recent events."""
    stand_in: bool = False
    """It stands for a ledger that cannot be read, and ``bot_id`` is the name of that file."""

    def become(self, event: Event, now: float) -> None:
        """Follow the arrow of ``event``."""
        self.state = after(self.state, event)
        self.state_since = now

    def begin_anew(self) -> None:
        """Forget crashes and faults: its row changed, it came back, or an operator let it go on."""
        self.restarts.forget()
        self.outages.forget()
        self.given_back = None
        self.error, self.last, self.restart_count = None, Snapshot(), 0
        self.not_before, self.crashed, self.ledger_known = -math.inf, False, False

    def end_failure(self) -> None:
        """FAILED is over when the row is another one than that which failed."""
        failed, row = self.hold, self.row
        if failed is None or failed.state is not State.FAILED or failed.row is None or row is None:
            return
        if (failed.row.binding, failed.row.params) != (row.binding, row.params):
            self.hold = None
            self.begin_anew()

    @property
    def name(self) -> str:
        """Its name as BotService last gave it; the id of a bot that has none."""
        invalid = self.listed is Listed.INVALID and self.run is None
        if self.row is None or (invalid and self.invalid_name):
            return self.invalid_name or self.bot_id
        return self.row.name or self.bot_id

    @property
    def named(self) -> str:
        """Its id, and its name where that says more: for a line of text."""
        return named(self.bot_id, self.name)

    @property
    def log(self) -> Logger:
        """Logs what is about this bot."""
        return bound(bot_id=self.bot_id, bot_name=self.name_in_log)

    @property
    def name_in_log(self) -> str | None:
        """Its name as the log has it beside the id; None where it says no more."""
        return short_name(self.name) if self.name != self.bot_id else None

    @property
    def is_open(self) -> bool:
        """True unless its ledger says for certain that it is flat."""
        return self.unreadable is not None or (self.ledger is not None and self.ledger.is_open)

    @property
    def unavailable(self) -> str | None:
        """Why its ledger cannot be read or written at present; None of one that is damaged."""
        if self.unreadable is not None and not self.ledger_known:
            return self.unreadable
        return self.outage

    @property
    def trades(self) -> bool:
        """True while a process runs its strategy."""
        return self.run is not None and self.run.task is Task.TRADE

    @property
    def runs_freely(self) -> bool:
        """True while its strategy runs and nobody has told it to end."""
        return self.run is not None and self.run.task is Task.TRADE and self.run.told is None

    @property
    def is_at_rest(self) -> bool:
        """True when it is flat for certain, and nothing works for it or is about to."""
        works = self.run or self.check or self.queued or self.pending_signal or self.to_check
        return not works and not self.stand_in and self.ledger_known and not self.is_open

    @property
    def at_stake(self) -> bool:
        """True when it has a runner or an open position."""
        return self.run is not None or self.is_open

    @property
    def binding(self) -> Binding | None:
        """What it trades: by the row, else by its process, else by its ledger."""
        if self.run is not None and self.run.spec is not None:
            return self.run.spec.binding
        if self.state is State.LIQUIDATING and self.ledger is not None and self.ledger.binding:
            return self.ledger.binding
        if self.row is not None:
            return self.row.binding
        return self.ledger.binding if self.ledger is not None else None

    def live_binding(self, task: Task) -> Binding | None:
        """What a process for ``task`` would trade on an exchange; None when it would trade nothing."""
        if task is Task.TRADE:
            binding = self.row.binding if self.row is not None else None
        elif task is Task.LIQUIDATE:
            binding = self.ledger.binding if self.ledger is not None else None
        else:
            return None
        return binding if binding is not None and binding.mode is Mode.LIVE else None

    @property
    def accounts(self) -> set[str]:
        """The accounts that no other service may trade as long as this bot is here."""
        bindings = [self.run.spec.binding] if self.run is not None and self.run.spec else []
        bindings += (
            [self.row.binding] if self.row is not None and self.listed is Listed.VALID else []
        )
        kept = self.ledger.binding if self.ledger is not None else None
        bindings += [kept] if kept is not None and (self.is_open or self.run is not None) else []
        return {binding.key_id for binding in bindings if binding.mode is Mode.LIVE}

    @property
    def snapshot(self) -> Snapshot:
        """The latest report."""
        return self.run.snapshot if self.run is not None else self.last

    @property
    def position(self) -> dict[str, str | None]:
        """Its position as ``/status`` shows it: from its process, else from its ledger."""
        if self._speaks:
            return self.snapshot.position
        return shown(self.ledger.position) if self.ledger is not None else Snapshot().position

    def result(self, day: date) -> dict[str, str | None]:
        """What it realised, as ``/status`` shows it on the UTC day ``day``."""
        quote = self.binding.quote if self.binding is not None else None
        if not self._speaks and self.ledger is None and self.unreadable is None:
            return unstarted(quote)
        ledger = self.ledger.result if self.ledger is not None else None
        found = self.snapshot.result if self._speaks else ledger
        return found.shown(day) if found is not None else unknown(quote)

    @property
    def guards(self) -> list[dict[str, str]]:
        """The guards that keep it from entering.

        Without a process that trades: a day that ended, and a stop loss that no stop by its user has ended.
        """
        if self.trades and self._speaks:
            return self.snapshot.guards
        if self.ledger is None:
            return []
        day, stop_loss = self.ledger.daily_loss, self.ledger.stop_loss
        found = [day] if day is not None and utc_day(day.since) == utc_day(now()) else []
        found += [stop_loss] if stop_loss is not None and self.listed is not Listed.GONE else []
        return [guard.shown() for guard in found]

    @property
    def last_error(self) -> str | None:
        """What ``/status`` shows: a fault of the row, else what its process or its end said."""
        alive = self.run.snapshot.last_error if self.run is not None else None
        hold = self.hold.detail if self.hold is not None else None
        # What once was wrong with a bot that is over says nothing of how it is.
        said = None if self._is_over else self.error or self.last.last_error
        if hold and said and said not in hold and self.residue:
            hold = f"{hold}; {said}"  # who ended it does not say why it is not sold
        waits = _LEFT if self.listed is Listed.UNSEEN else None
        over = self.given_back if self.listed is Listed.GONE else None
        return self.row_error or alive or hold or self.unavailable or over or said or waits

    @property
    def abandoned(self) -> list[Abandoned]:
        """What an operator gave up within the last day, by its ledger."""
        kept = self.ledger.abandoned if self.ledger is not None else []
        return [one for one in kept if is_recent(one, now())]

    @property
    def unread(self) -> float:
        """Seconds for which its process has read nothing that it could use."""
        return self.run.snapshot.unread if self.run is not None else 0.0

    @property
    def unjudged(self) -> float:
        """Seconds for which nobody could tell whether its stop loss is reached."""
        return self.run.snapshot.unjudged if self.run is not None else 0.0

    @property
    def contested(self) -> int:
        """How many of its orders wait for an operator."""
        ledger = self.ledger.contested if self.ledger is not None else 0
        return self.snapshot.contested if self._speaks else ledger

    @property
    def doubt(self) -> str | None:
        """Why its position may not be its own any more, while that waits for an operator."""
        ledger = self.ledger.doubt if self.ledger is not None else None
        return self.snapshot.doubt if self._speaks else ledger

    @property
    def residue(self) -> bool:
        """True when an attempt to liquidate has failed and the position is open."""
        known = self.ledger is not None and self.ledger.failing
        before = self.is_open and (known or self.liquidation_failed)
        if not self._speaks:
            return before
        # The next try has not failed yet, but neither has it sold anything.
        return self.snapshot.liquidation_failed or (before and not self.trades)

    def case(self, service: Service, *, halted: bool) -> Case:
        """What the decision about its next step depends on."""
        bound = self.ledger.binding if self.ledger is not None else None
        return Case(
            service=service,
            listed=self.listed,
            hold=self.hold.state if self.hold is not None else None,
            keeps=self.hold is not None and self.hold.keeps,
            is_open=self.is_open,
            readable=self.unreadable is None,
            moved=bound is not None and self.row is not None and bound != self.row.binding,
            closing=self.closing,
            halted=halted,
            abandoning=self.abandoning,
        )

    @property
    def _is_over(self) -> bool:
        """True when it was stopped, and has ended flat."""
        return self.state is State.STOPPED and self.listed is Listed.GONE and not self.is_open

    @property
    def _speaks(self) -> bool:
        return self.run is not None and self.run.snapshot.phase != "BOOTING"
