"""The record of one bot: its wanted state, its processes, and the known facts of its position."""

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
from execsvc.supervisor.bots.states import State, entered
from execsvc.supervisor.processes.restarts import CALM, Restarts

if TYPE_CHECKING:
    from loguru import Logger

_LEFT = "left by an earlier run of the service; waits for the first good listing"


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


@dataclass
class Bot:
    """All facts about one bot in the supervisor. Moments are seconds of the loop's own clock."""

    bot_id: str
    restarts: Restarts
    state: State = State.STOPPED
    state_since: float = 0.0
    listed: Listed = Listed.UNSEEN
    booting: bool = False
    """True while its row is BOOTING, as far as is known."""
    given_back: str | None = None
    """The reason why a stop is reported to BotService for which no user there has asked."""
    row: BotSpec | None = None
    """The last row that could be used."""
    invalid_name: str = ""
    """The name in the last row that could not be used."""
    row_error: str | None = None
    error: str | None = None
    hold: Hold | None = None
    pending_signal: PendingSignalDecision | None = None
    closing: bool = False
    """True when the bot was told to stop and liquidate, and was not seen flat since."""
    abandoning: bool = False
    """True while an operator's decision to give up its position is not booked."""
    not_abandoned: str | None = None
    """The reason why the last try to book that has failed."""
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
    """The time at which its runner last stopped on a signal from outside the service."""
    crashed: bool = False
    restart_count: int = 0
    ever_ran: bool = False
    outages: Restarts = field(default_factory=lambda: Restarts(None, CALM))
    """The ends of its processes because its ledger could not be read or written at that moment."""
    outage: str | None = None
    """The reason of the latest of these ends."""
    position_noted: dict[str, str | None] | None = None
    """The position that was last shown among the recent events."""
    stand_in: bool = False
    """True when the record stands for an unreadable ledger; ``bot_id`` is the name of that file."""

    def become(self, state: State, now: float) -> None:
        """Enter ``state``. Raises ValueError where no transition leads there."""
        self.state = entered(self.state, state)
        self.state_since = now

    def begin_anew(self) -> None:
        """Forget crashes and faults: its row changed, it came back, or an operator let it go on."""
        self.restarts.forget()
        self.outages.forget()
        self.given_back = None
        self.error, self.last, self.restart_count = None, Snapshot(), 0
        self.not_before, self.crashed, self.ledger_known = -math.inf, False, False

    def end_failure(self) -> None:
        """End FAILED when the row is another one than the row that failed."""
        failed, row = self.hold, self.row
        if failed is None or failed.state is not State.FAILED or failed.row is None or row is None:
            return
        if (failed.row.binding, failed.row.params) != (row.binding, row.params):
            self.hold = None
            self.begin_anew()

    @property
    def name(self) -> str:
        """The name of the bot as BotService last gave it; the id of a bot without a name."""
        invalid = self.listed is Listed.INVALID and self.run is None
        if self.row is None or (invalid and self.invalid_name):
            return self.invalid_name or self.bot_id
        return self.row.name or self.bot_id

    @property
    def named(self) -> str:
        """The id of the bot, and its name where that says more: for a line of text."""
        return named(self.bot_id, self.name)

    @property
    def log(self) -> Logger:
        """A logger for messages about this bot."""
        return bound(bot_id=self.bot_id, bot_name=self.name_in_log)

    @property
    def name_in_log(self) -> str | None:
        """The name of the bot for the log, beside the id; None where it says no more than the id."""
        return short_name(self.name) if self.name != self.bot_id else None

    @property
    def is_open(self) -> bool:
        """True unless the ledger shows for certain that the bot is flat."""
        return self.unreadable is not None or (self.ledger is not None and self.ledger.is_open)

    @property
    def unavailable(self) -> str | None:
        """The reason why the ledger cannot be read or written at present; None for a damaged ledger."""
        if self.unreadable is not None and not self.ledger_known:
            return self.unreadable
        return self.outage

    @property
    def trades(self) -> bool:
        """True while a process runs its strategy."""
        return self.run is not None and self.run.task is Task.TRADE

    @property
    def runs_freely(self) -> bool:
        """True while its strategy runs and has not been told to end."""
        return self.run is not None and self.run.task is Task.TRADE and self.run.told is None

    @property
    def is_at_rest(self) -> bool:
        """True when the bot is flat for certain, and no process works for it or is about to."""
        works = self.run or self.check or self.queued or self.pending_signal or self.to_check
        return not works and not self.stand_in and self.ledger_known and not self.is_open

    @property
    def at_stake(self) -> bool:
        """True when the bot has a runner or an open position."""
        return self.run is not None or self.is_open

    @property
    def binding(self) -> Binding | None:
        """The binding that the bot trades: by the row, else by its process, else by its ledger."""
        if self.run is not None and self.run.spec is not None:
            return self.run.spec.binding
        if self.state is State.LIQUIDATING and self.ledger is not None and self.ledger.binding:
            return self.ledger.binding
        if self.row is not None:
            return self.row.binding
        return self.ledger.binding if self.ledger is not None else None

    def live_binding(self, task: Task) -> Binding | None:
        """The binding that a process for ``task`` would trade on an exchange; None when there is none."""
        if task is Task.TRADE:
            binding = self.row.binding if self.row is not None else None
        elif task is Task.LIQUIDATE:
            binding = self.ledger.binding if self.ledger is not None else None
        else:
            return None
        return binding if binding is not None and binding.mode is Mode.LIVE else None

    @property
    def accounts(self) -> set[str]:
        """The accounts that no other service may trade as long as this record exists."""
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
        """The position as ``/status`` shows it: from the bot's process, else from its ledger."""
        if self._speaks:
            return self.snapshot.position
        return shown(self.ledger.position) if self.ledger is not None else Snapshot().position

    def result(self, day: date) -> dict[str, str | None]:
        """The realised result, as ``/status`` shows it on the UTC day ``day``."""
        quote = self.binding.quote if self.binding is not None else None
        if not self._speaks and self.ledger is None and self.unreadable is None:
            return unstarted(quote)
        ledger = self.ledger.result if self.ledger is not None else None
        found = self.snapshot.result if self._speaks else ledger
        return found.shown(day) if found is not None else unknown(quote)

    @property
    def guards(self) -> list[dict[str, str]]:
        """The guards that keep it from entering.

        Without a process that trades: a daily loss of this UTC day, and a stop loss that no stop by the
        bot's user has ended.
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
        """The error that ``/status`` shows: of the row, else of the process, else of its end."""
        alive = self.run.snapshot.last_error if self.run is not None else None
        hold = self.hold.detail if self.hold is not None else None
        # An earlier fault of a bot that is over says nothing of its present state.
        said = None if self._is_over else self.error or self.last.last_error
        if hold and said and said not in hold and self.residue:
            hold = f"{hold}; {said}"  # the detail of the hold does not say why the position is not sold
        waits = _LEFT if self.listed is Listed.UNSEEN else None
        over = self.given_back if self.listed is Listed.GONE else None
        return self.row_error or alive or hold or self.unavailable or over or said or waits

    @property
    def abandoned(self) -> list[Abandoned]:
        """The positions that an operator gave up within the last day, by its ledger."""
        kept = self.ledger.abandoned if self.ledger is not None else []
        return [one for one in kept if is_recent(one, now())]

    @property
    def unread(self) -> float:
        """Seconds for which the reads of its process have failed."""
        return self.run.snapshot.unread if self.run is not None else 0.0

    @property
    def unjudged(self) -> float:
        """Seconds for which it has been unknown whether its stop loss is reached."""
        return self.run.snapshot.unjudged if self.run is not None else 0.0

    @property
    def contested(self) -> int:
        """Count of its orders that wait for an operator."""
        ledger = self.ledger.contested if self.ledger is not None else 0
        return self.snapshot.contested if self._speaks else ledger

    @property
    def doubt(self) -> str | None:
        """The reason why its position may not be its own any more, until an operator has decided."""
        ledger = self.ledger.doubt if self.ledger is not None else None
        return self.snapshot.doubt if self._speaks else ledger

    @property
    def residue(self) -> bool:
        """True when an attempt to liquidate has failed and the position is open."""
        known = self.ledger is not None and self.ledger.failing
        before = self.is_open and (known or self.liquidation_failed)
        if not self._speaks:
            return before
        # The next try has not failed yet, but it has not sold anything either.
        return self.snapshot.liquidation_failed or (before and not self.trades)

    def case(self, service: Service, *, halted: bool) -> Case:
        """The facts on which the decision about its next step depends."""
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
        """True when the bot was stopped, and has ended flat."""
        return self.state is State.STOPPED and self.listed is Listed.GONE and not self.is_open

    @property
    def _speaks(self) -> bool:
        return self.run is not None and self.run.snapshot.phase != "BOOTING"
