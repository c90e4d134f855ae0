"""One bot: its state, its five records, and what follows from several of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from execsvc.logs import bound
from execsvc.model.bot import Binding, Mode, named, short_name
from execsvc.runner.job import Task
from execsvc.runner.report import Snapshot, shown
from execsvc.store.abandoned import Abandoned, is_recent
from execsvc.store.tripped import STOP_LOSS
from execsvc.supervisor.bots.bot_records import (
    Desired,
    HoldRecord,
    KnownPosition,
    Processes,
    Schedule,
)
from execsvc.supervisor.bots.next_step import Case, Listed, ServiceMode
from execsvc.supervisor.bots.states import State, entered

if TYPE_CHECKING:
    from loguru import Logger

Record = Desired | Processes | KnownPosition | HoldRecord | Schedule


class Bot(NamedTuple):
    """All facts about one bot in the supervisor. Moments are seconds of the loop's own clock."""

    bot_id: str
    state: State = State.STOPPED
    state_since: float = 0.0
    stand_in: bool = False
    """True when the record stands for an unreadable ledger; ``bot_id`` is the name of that file."""
    desired: Desired = Desired()
    processes: Processes = Processes()
    known: KnownPosition = KnownPosition()
    hold_record: HoldRecord = HoldRecord()
    schedule: Schedule = Schedule()

    def having(self, *records: Record) -> Bot:
        """The bot with ``records`` in the place of its own of these kinds."""
        changes: dict[str, Any] = {_ATTRIBUTES[type(record)]: record for record in records}
        return self._replace(**changes)

    def entering(self, state: State, now: float) -> Bot:
        """The bot in ``state``. Raises ValueError where no transition leads there."""
        return self._replace(state=entered(self.state, state), state_since=now)

    def begun_anew(self) -> Bot:
        """The bot without crashes and faults: it came back, or an operator let it go on."""
        return self.having(
            self.desired._replace(given_back=None),
            self.processes._replace(error=None, last=Snapshot()),
            self.known._replace(current=False),
            Schedule(
                liquidate_at=self.schedule.liquidate_at, check_after=self.schedule.check_after
            ),
        )

    def without_failure_of_another_row(self) -> Bot:
        """The bot, not FAILED any more when its row is another one than the row that failed."""
        failed, row = self.hold_record.hold, self.desired.row
        if failed is None or failed.state is not State.FAILED or failed.row is None or row is None:
            return self
        if (failed.row.binding, failed.row.params) == (row.binding, row.params):
            return self
        return self.having(self.hold_record._replace(hold=None)).begun_anew()

    @property
    def name(self) -> str:
        """The name of the bot as BotService last gave it; the id of a bot without a name."""
        invalid = self.desired.listed is Listed.INVALID and self.processes.owner is None
        if self.desired.row is None or (invalid and self.desired.invalid_name):
            return self.desired.invalid_name or self.bot_id
        return self.desired.row.name or self.bot_id

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
        return self.known.is_open

    @property
    def trades(self) -> bool:
        """True while a process runs its strategy."""
        return self.processes.owner is not None and self.processes.owner.task is Task.TRADE

    @property
    def runs_freely(self) -> bool:
        """True while its strategy runs and has not been asked to end."""
        return (
            self.processes.owner is not None
            and self.processes.owner.task is Task.TRADE
            and self.processes.owner.stop_mode is None
        )

    @property
    def is_at_rest(self) -> bool:
        """True when the bot is flat for certain, and no process works for it or is about to."""
        works = (
            self.processes.owner
            or self.processes.check
            or self.processes.queued
            or self.hold_record.pending
            or self.processes.to_check
        )
        known = self.known.current and not self.elsewhere  # another host knows its position
        return not works and not self.stand_in and known and not self.is_open

    @property
    def at_stake(self) -> bool:
        """True when the bot has a runner or an open position."""
        return self.processes.owner is not None or self.is_open

    @property
    def binding(self) -> Binding | None:
        """The binding that the bot trades: by the row, else by its process, else by its ledger."""
        if self.processes.owner is not None and self.processes.owner.spec is not None:
            return self.processes.owner.spec.binding
        if (
            self.state is State.LIQUIDATING
            and self.known.ledger is not None
            and self.known.ledger.binding
        ):
            return self.known.ledger.binding
        if self.desired.row is not None:
            return self.desired.row.binding
        return self.known.ledger.binding if self.known.ledger is not None else None

    @property
    def elsewhere(self) -> bool:
        """True while another host has the account of the bot."""
        return self.known.elsewhere is not None

    @property
    def keys(self) -> set[str]:
        """The accounts that a host has to have to run the bot, also on paper."""
        ledger = self.known.ledger if self.is_open or self.desired.row is None else None
        owner = self.processes.owner.spec if self.processes.owner is not None else None
        wanted = self.desired.listed is Listed.VALID or self.elsewhere
        listed = self.desired.row if wanted else None
        bindings = [part.binding for part in (ledger, owner, listed) if part is not None]
        return {binding.key_id for binding in bindings if binding is not None}

    def live_binding(self, task: Task) -> Binding | None:
        """The binding that a process for ``task`` would trade on an exchange; None when there is none."""
        if task is Task.TRADE:
            binding = self.desired.row.binding if self.desired.row is not None else None
        elif task is Task.LIQUIDATE:
            binding = self.known.ledger.binding if self.known.ledger is not None else None
        else:
            return None
        return binding if binding is not None and binding.mode is Mode.LIVE else None

    @property
    def accounts(self) -> set[str]:
        """The accounts that no other service may trade as long as this record exists."""
        bindings = (
            [self.processes.owner.spec.binding]
            if self.processes.owner is not None and self.processes.owner.spec
            else []
        )
        bindings += (
            [self.desired.row.binding]
            if self.desired.row is not None and self.desired.listed is Listed.VALID
            else []
        )
        kept = self.known.ledger.binding if self.known.ledger is not None else None
        bindings += (
            [kept]
            if kept is not None and (self.is_open or self.processes.owner is not None)
            else []
        )
        return {binding.key_id for binding in bindings if binding.mode is Mode.LIVE}

    @property
    def snapshot(self) -> Snapshot:
        """The latest report."""
        return (
            self.processes.owner.snapshot
            if self.processes.owner is not None
            else self.processes.last
        )

    @property
    def position(self) -> dict[str, str | None]:
        """The position as ``/status`` shows it: from the bot's process, else from its ledger."""
        if self.is_reporting:
            return self.snapshot.position
        return (
            shown(self.known.ledger.position)
            if self.known.ledger is not None
            else Snapshot().position
        )

    def abandoned_by(self, moment: datetime) -> list[Abandoned]:
        """The positions that an operator gave up within the day before ``moment``, by its ledger."""
        kept = self.known.ledger.abandoned if self.known.ledger is not None else []
        return [one for one in kept if is_recent(one, moment)]

    @property
    def is_stopped_out(self) -> bool:
        """True while a stop loss that was reached keeps the bot from entering."""
        if self.trades and self.is_reporting:
            return any(guard["guard"] == STOP_LOSS for guard in self.snapshot.guards)
        reached = self.known.ledger is not None and self.known.ledger.stop_loss is not None
        return reached and self.desired.listed is not Listed.GONE

    @property
    def unread(self) -> float:
        """Seconds for which the reads of its process have failed."""
        return self.processes.owner.snapshot.unread if self.processes.owner is not None else 0.0

    @property
    def unjudged(self) -> float:
        """Seconds for which it has been unknown whether its stop loss is reached."""
        return self.processes.owner.snapshot.unjudged if self.processes.owner is not None else 0.0

    @property
    def contested(self) -> int:
        """Count of its orders that wait for an operator."""
        ledger = self.known.ledger.contested if self.known.ledger is not None else 0
        return self.snapshot.contested if self.is_reporting else ledger

    @property
    def doubt(self) -> str | None:
        """The reason why its position may not be its own any more, until an operator has decided."""
        ledger = self.known.ledger.doubt if self.known.ledger is not None else None
        return self.snapshot.doubt if self.is_reporting else ledger

    @property
    def residue(self) -> bool:
        """True when an attempt to liquidate has failed and the position is open."""
        known = self.known.ledger is not None and self.known.ledger.failing
        before = self.is_open and (known or self.known.liquidation_failed)
        if not self.is_reporting:
            return before
        # The next try has not failed yet, but it has not sold anything either.
        return self.snapshot.liquidation_failed or (before and not self.trades)

    def case(self, service: ServiceMode, *, halted: bool) -> Case:
        """The facts on which the decision about its next step depends."""
        bound = self.known.ledger.binding if self.known.ledger is not None else None
        return Case(
            service=service,
            listed=self.desired.listed,
            hold=self.hold_record.hold.state if self.hold_record.hold is not None else None,
            keeps=self.hold_record.hold is not None and self.hold_record.hold.keeps,
            is_open=self.is_open,
            readable=self.known.unreadable is None,
            moved=bound is not None
            and self.desired.row is not None
            and bound != self.desired.row.binding,
            closing=self.desired.closing,
            halted=halted,
            elsewhere=self.elsewhere,
            abandoning=self.desired.abandoning,
        )

    @property
    def is_over(self) -> bool:
        """True when the bot was stopped, and has ended flat."""
        return (
            self.state is State.STOPPED and self.desired.listed is Listed.GONE and not self.is_open
        )

    @property
    def is_reporting(self) -> bool:
        """True while a process works for the bot that has recovered its position, and reports it."""
        return self.processes.owner is not None and self.processes.owner.snapshot.phase != "BOOTING"


_ATTRIBUTES: dict[type[Record], str] = {
    Desired: "desired",
    Processes: "processes",
    KnownPosition: "known",
    HoldRecord: "hold_record",
    Schedule: "schedule",
}
"""The attribute of a bot that has the record of each kind."""
