"""All bots, and the only writer of them: each fact goes through the reducer, its effects are carried out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection
from contextlib import suppress

from loguru import logger

from execsvc.clients.bot_service import Listing
from execsvc.clock import now as utc_now
from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.model.bot import InvalidRow, short_name
from execsvc.store.bot_state import LedgerState
from execsvc.store.service_store import HeldBots
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_records import KnownPosition
from execsvc.supervisor.bots.carrying_out import Means, carry_out, ledger_of
from execsvc.supervisor.bots.effects import Act
from execsvc.supervisor.bots.facts import (
    Circumstances,
    Ended,
    Fact,
    FoundUnreadable,
    HeldBefore,
    LedgerFound,
    LedgerSeen,
    Occurrence,
    Reported,
    RowInvalid,
    RowListed,
    TakenUp,
    Unlisted,
)
from execsvc.supervisor.bots.fleet import Fleet
from execsvc.supervisor.bots.next_step import Listed, ServiceMode
from execsvc.supervisor.bots.records import Records
from execsvc.supervisor.bots.reducer import handle
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.processes.child import Child
from execsvc.supervisor.processes.context import ProcessContext

HELD_UNREADABLE = "{} cannot be read, which names the bots that an operator ended"
"""The reason why a bot is HELD that perhaps no operator has ended."""
MOST_NAMELESS = 5
"""Different rows without an id that one line of the log describes."""


class Bots:
    """Every bot that is wanted, runs, or has left a position or an order to be decided."""

    def __init__(self, context: ProcessContext, records: Records, fleet: Fleet) -> None:
        self._context = context
        self._records = records
        self._fleet = fleet
        self._bots = fleet.bots
        self._means = Means(context, records, fleet)
        self._flat: dict[str, LedgerState] = {}
        """States of flat bots, read at the start; dropped after the first listing."""
        self.nameless: list[InvalidRow] = []

    def apply(self, bot_id: str, fact: Fact) -> list[Fact]:
        """Change a bot by ``fact``, and carry out the effects. Returns the facts that answered them."""
        after, effects = handle(self._bots[bot_id], fact, self._circumstances())
        self._bots[bot_id] = after
        answers: list[Fact] = []
        for effect in effects:
            answer = carry_out(self._means, after, effect)
            if answer is not None:
                answers += [answer, *self.apply(bot_id, answer)]
        return answers

    def apply_to_all(self, fact: Fact) -> None:
        """Change every bot by ``fact``."""
        for bot_id in list(self._bots):
            self.apply(bot_id, fact)

    def recover(self) -> None:
        """Take up the bots that an earlier run of the service left; the first good listings decide."""
        states, unreadable = self._records.ledgers.survey()
        for state in states:
            stopped_out = state.stop_loss is not None  # a listing without the bot ends that
            if state.is_open or state.contested or state.abandoned or stopped_out:
                self._take_up(state, Listed.UNSEEN)
            else:
                self._flat[state.bot_id] = state
        for stem, reason in unreadable.items():
            self._add(Bot(stem, state_since=self._context.clock.now, stand_in=True))
            at_present = isinstance(reason, LedgerUnavailable)
            self.apply(stem, FoundUnreadable(str(reason), at_present))
        held = self._records.held
        if held.damage is not None:
            held.suspect(state.bot_id for state in states)
            _log_held_unreadable(held)
        for bot_id, keeps in held.bots.items():
            if bot_id not in self._bots:
                self._new(bot_id)
            unsure = held.is_suspect(bot_id)
            signalled = "ended on a signal to its process"
            why = HELD_UNREADABLE.format(held.name) if unsure else signalled
            self.apply(bot_id, HeldBefore(why, keeps, unsure))

    def listed(self, listing: Listing) -> None:
        """Take every row of a complete listing; :meth:`gone` handles the bots that it lacks."""
        _log_nameless(self.nameless, listing.nameless)
        self.nameless = listing.nameless
        booting = set(listing.booting)
        for bot_id, row in listing.bots.items():
            self._make_known(bot_id)
            self.apply(bot_id, RowListed(row, bot_id in booting))
        for bot_id, invalid in listing.invalid.items():
            self._make_known(bot_id)
            self.apply(bot_id, RowInvalid(invalid, bot_id in booting))
        self._stopping(listing.stopping)
        self._flat.clear()

    def _stopping(self, bot_ids: Collection[str]) -> None:
        """End the bots that BotService lists as STOPPING: no confirmation is needed, as for an absence."""
        for bot_id in bot_ids:
            bot = self._bots.get(bot_id)
            if bot is not None and bot.desired.listed is not Listed.GONE:
                self.apply(bot_id, Unlisted("BotService says STOPPING"))

    def gone(self, bot_ids: frozenset[str]) -> None:
        """End these bots, which are not listed any more."""
        for bot_id in sorted(bot_ids):
            self.apply(bot_id, Unlisted("no longer listed"))
            bot = self._bots[bot_id]
            never_ran = not bot.processes.ever_ran and bot.desired.given_back is None
            if bot.state is State.STOPPED and never_ran:
                self._forget(bot)

    def row_stopped(self, bot_id: str, why: str = "BotService shows it as STOPPED") -> None:
        """Note that the row of this bot is STOPPED, so that a bot without a process does not start.

        ``why`` is the text of the log. The listings decide on one that has a process or a position.
        """
        bot = self._bots.get(bot_id)
        if bot is None or bot.desired.listed not in (Listed.VALID, Listed.INVALID):
            return
        if bot.processes.owner is None and not bot.is_open:
            self.apply(bot_id, Unlisted(why))

    def read_reports(self) -> None:
        """Read every report that waits."""
        for bot_id in self._fleet.reports.ready():
            processes = self._bots[bot_id].processes
            for process in (processes.owner, processes.check):
                one = self._fleet.processes.get(process.pid) if process is not None else None
                if one is None:
                    continue
                snapshot = one.latest(self._fleet.totals)
                if snapshot is not None:
                    if process is processes.owner and one.has_news(snapshot):
                        self._fleet.news.add(bot_id)
                    self.apply(bot_id, Reported(one.child.pid, snapshot))
                if one.lines.ended:
                    self._fleet.reports.remove(one.lines)

    def died(self, child: Child, code: int) -> bool:
        """Take note that ``child`` was reaped; False when it is no process of a bot."""
        one = self._fleet.processes.pop(child.pid, None)
        bot = self._bots.get(one.bot_id) if one is not None else None
        if one is None or bot is None:
            return False
        self._fleet.news.add(bot.bot_id)  # its last reports may not have been read
        snapshot = one.latest(self._fleet.totals)
        self._fleet.reports.remove(one.lines)
        one.lines.close()
        check = bot.processes.check
        checked = check is not None and check.pid == child.pid
        ledger = LedgerFound() if checked else ledger_of(self._records, bot.bot_id)
        self.apply(bot.bot_id, Ended(child.pid, code, snapshot, ledger))
        return True

    def due(self, bot_id: str) -> None:
        """Act on a timer of this bot that has run out."""
        if bot_id in self._bots:
            self.apply(bot_id, Occurrence.DUE)

    def reread_ledgers(self) -> None:
        """Read again the ledgers that could not be read, as a fault such as a full disk may be over.

        Nothing is done or logged until then. The bot stays FAILED until its row changes or an operator
        releases it. A bot whose file is gone waits on: only an operator knows whether its position is
        closed.
        """
        for bot in list(self._bots.values()):
            unreadable = bot.known.unreadable is not None and bot.processes.owner is None
            with suppress(LedgerFailed):
                if bot.stand_in:
                    self._look_for(bot)
                elif unreadable and self._records.ledgers.read(bot.bot_id) is not None:
                    self.apply(bot.bot_id, Occurrence.LEDGER_READABLE)

    def see_ledger(self, bot_id: str) -> None:
        """Read the bot's ledger when the service ends."""
        self.apply(bot_id, LedgerSeen(ledger_of(self._records, bot_id)))

    def end_all(self) -> None:
        """Tell all bots at once to end, as ``service`` of the fleet says, because the service stops."""
        self.apply_to_all(Occurrence.SERVICE_STOPS)

    def kill_all(self) -> None:
        """Kill every process of a bot, because the time of the service to stop is over."""
        self.apply_to_all(Occurrence.OUT_OF_TIME)

    def known(self) -> set[str]:
        """The bots that the next listing is expected to hold."""
        return {bot.bot_id for bot in self._bots.values() if bot.desired.listed is not Listed.GONE}

    def unseen(self) -> set[str]:
        """Those of the known bots that no listing since the start has held."""
        return {bot.bot_id for bot in self._bots.values() if bot.desired.listed is Listed.UNSEEN}

    def at_stake(self) -> set[str]:
        """Those of the known bots that have a runner or an open position, or would without a halt."""
        if self._records.halted:
            return self.known()
        return {bot_id for bot_id in self.known() if self._bots[bot_id].at_stake}

    def busy(self) -> bool:
        """True while a process works for a bot, or one is still to be forked."""
        liquidating = self._fleet.service is ServiceMode.LIQUIDATE
        return any(
            bot.processes.owner is not None
            or bot.processes.check is not None
            or bot.processes.queued is not None
            or (liquidating and bot.state is State.LIQUIDATING)
            for bot in self._bots.values()
        )

    def _circumstances(self) -> Circumstances:
        return Circumstances(
            now=self._context.clock.now,
            utc=utc_now(),
            service=self._fleet.service,
            halted=self._records.halted,
            settings=self._context.settings,
            jitter=random.random(),
        )

    def _take_up(self, state: LedgerState, listed: Listed) -> None:
        """Add a bot that an earlier run left, and take its next step."""
        self._new(state.bot_id)
        self.apply(state.bot_id, TakenUp(state, listed))

    def _look_for(self, stand_in: Bot) -> None:
        """Take up the bot of a ledger that can be read again. Raises LedgerFailed until then."""
        state = self._records.ledgers.read_named(stand_in.bot_id)
        if state is None:
            return
        self._forget(stand_in)
        if (state.is_open or state.contested) and state.bot_id not in self._bots:
            self._take_up(state, stand_in.desired.listed)

    def _make_known(self, bot_id: str) -> None:
        """Add the bot if it is missing, in the place of a record that stands for its ledger."""
        if bot_id not in self._bots:
            stand_in = self._bots.get(self._records.store.name_of(bot_id))
            if stand_in is not None and stand_in.stand_in:
                self._forget(stand_in)
            self._new(bot_id)

    def _new(self, bot_id: str) -> None:
        ledger = self._flat.pop(bot_id, None)
        known = KnownPosition(ledger=ledger, current=ledger is not None)
        self._add(Bot(bot_id, state_since=self._context.clock.now, known=known))

    def _add(self, bot: Bot) -> None:
        self._bots[bot.bot_id] = bot

    def _forget(self, bot: Bot) -> None:
        carry_out(self._means, bot, Act.FORGET)


def _log_nameless(before: list[InvalidRow], listed: list[InvalidRow]) -> None:
    """Log the listed rows without a usable id when they are others than ``before``."""
    if not listed or Counter(listed) == Counter(before):
        return
    shown = sorted(
        {f"{short_name(row.name)}: {row.reason}" if row.name else row.reason for row in listed}
    )
    more = "; …" if len(shown) > MOST_NAMELESS else ""
    logger.bind(event="rows_without_id").warning(
        "rows without a usable id, of which no bot can be made: {} ({}{})",
        len(listed),
        "; ".join(shown[:MOST_NAMELESS]),
        more,
    )


def _log_held_unreadable(held: HeldBots) -> None:
    """Write to the log that every bot is HELD, as the record of the HELD ones cannot be read."""
    logger.bind(event="held_unreadable").critical(
        "{} cannot be read ({}): the {} bots that have a ledger are HELD with what they hold, "
        "until the file is repaired and the service restarted, or: execsvc release BOT",
        held.name,
        held.damage,
        len(held.bots),
    )
