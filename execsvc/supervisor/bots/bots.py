"""All bots: the effects of a listing, a report, a dead process or a timer on each of them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

from execsvc.clients.bot_service import Listing
from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.model.bot import InvalidRow
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots import by_hand, changes, process_exit, rows, steps
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.hold import Hold
from execsvc.supervisor.bots.known import KnownPosition
from execsvc.supervisor.bots.next_step import Listed, Service
from execsvc.supervisor.bots.run import Run, StopMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.bots.steps import SHOWN_STOPPED
from execsvc.supervisor.processes.child import Child

OUTAGE_OVER = 15.0
"""Seconds that a process has to trade before its ledger counts as available again: the wait for a lock
before a process ends is almost as long."""

HELD_UNREADABLE = "{} cannot be read, which names the bots that an operator ended"
"""The reason why a bot is HELD that perhaps no operator has ended."""


class Bots:
    """Every bot that is wanted, runs, or has left a position or an order to be decided."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._bots = context.bots
        self._flat: dict[str, LedgerState] = {}
        """States of flat bots, read at the start; dropped after the first listing."""
        self.nameless: list[InvalidRow] = []

    def recover(self) -> None:
        """Take up the bots that an earlier run of the service left; the first good listings decide."""
        states, unreadable = self._context.ledgers.survey()
        for state in states:
            stopped_out = state.stop_loss is not None  # a listing without the bot ends that
            if state.is_open or state.contested or state.abandoned or stopped_out:
                self._take_up(state, Listed.UNSEEN)
            else:
                self._flat[state.bot_id] = state
        for stem, reason in unreadable.items():
            bot = self._new(stem)
            bot.stand_in = True
            bot.put(replace(bot.known, unreadable=str(reason)), replace(bot.process, ever_ran=True))
            if isinstance(reason, LedgerUnavailable):
                bot.become(State.BACKOFF, self._context.clock.now)
            else:
                steps.mark_failed(self._context, bot, str(reason), None)
                bot.become(State.FAILED, self._context.clock.now)
        held = self._context.held
        if held.damage is not None:
            held.suspect(state.bot_id for state in states)
            by_hand.say_held_unreadable(held)
        for bot_id, keeps in held.bots.items():
            bot = self._bots.get(bot_id) or self._new(bot_id)
            unsure = held.is_suspect(bot_id)
            why = (
                HELD_UNREADABLE.format(held.name) if unsure else "ended on a signal to its process"
            )
            bot.put(replace(bot.holding, hold=Hold(State.HELD, why, keeps=keeps, unsure=unsure)))
            bot.put(replace(bot.desired, closing=not keeps), replace(bot.process, ever_ran=True))
            steps.reconcile(self._context, bot)

    def listed(self, listing: Listing) -> None:
        """Take every row of a complete listing; :meth:`gone` handles the bots that it lacks."""
        rows.nameless(self.nameless, listing.nameless)
        self.nameless = listing.nameless
        booting = set(listing.booting)
        for bot_id in [*listing.bots, *listing.invalid]:
            bot = self._known(bot_id)
            bot.put(replace(bot.desired, booting=bot_id in booting))
        for bot_id, row in listing.bots.items():
            rows.on_listed(self._context, self._known(bot_id), row)
        for bot_id, invalid in listing.invalid.items():
            rows.row_refused(self._context, self._known(bot_id), invalid)
        self._stopping(listing.stopping)
        self._flat.clear()

    def _stopping(self, bot_ids: Collection[str]) -> None:
        """End the bots that BotService lists as STOPPING: no confirmation is needed, as for an absence."""
        for bot_id in bot_ids:
            bot = self._bots.get(bot_id)
            if bot is not None and bot.desired.listed is not Listed.GONE:
                rows.on_unlisted(self._context, bot, "BotService says STOPPING")

    def gone(self, bot_ids: frozenset[str]) -> None:
        """End these bots, which are not listed any more."""
        for bot_id in sorted(bot_ids):
            bot = self._bots[bot_id]
            rows.on_unlisted(self._context, bot)
            if (
                bot.state is State.STOPPED
                and not bot.process.ever_ran
                and bot.desired.given_back is None
            ):
                self._forget(bot)

    def row_stopped(self, bot_id: str) -> None:
        """Note that the row of this bot is STOPPED, so that a bot without a process does not start.

        The listings decide on one that has a process or a position.
        """
        bot = self._bots.get(bot_id)
        if bot is None or bot.desired.listed not in (Listed.VALID, Listed.INVALID):
            return
        if bot.process.run is None and not bot.is_open:
            rows.on_unlisted(self._context, bot, "BotService shows it as STOPPED")

    def hear(self) -> None:
        """Read every report that waits."""
        now = self._context.clock.now
        for bot_id in self._context.reports.ready():
            bot = self._bots[bot_id]
            for run in (bot.process.run, bot.process.check):
                if run is not None and run.listen(now) and run is bot.process.run:
                    if run.has_news():
                        self._context.news.add(bot_id)
                    self._heard(bot, run)
                if run is not None and run.lines.ended:
                    self._context.reports.remove(run.lines)

    def died(self, child: Child, code: int) -> bool:
        """Take note that ``child`` was reaped; False when it is no process of a bot."""
        bot = self._bots.get(self._context.owners.pop(child.pid, ""))
        if bot is None:
            return False
        self._context.news.add(bot.bot_id)  # its last reports may not have been read
        for run in (bot.process.run, bot.process.check):
            if run is not None and run.child is child:
                process_exit.handle(self._context, bot, run, code)
        return True

    def due(self, bot_id: str) -> None:
        """Act on a timer of this bot that has run out."""
        bot = self._bots.get(bot_id)
        if bot is None:
            return
        for run in (bot.process.run, bot.process.check):
            if run is not None:
                self._judge(bot, run)
        if bot.holding.pending is not None:
            process_exit.decide_on_signal(self._context, bot)
        elif bot.runs_freely:
            changes.consider(self._context, bot)
        elif self._is_over(bot):
            self._forget(bot)
        else:
            steps.reconcile(self._context, bot)

    def look_again(self) -> None:
        """Read again the ledgers that could not be read, as a fault such as a full disk may be over."""
        for bot in list(self._bots.values()):
            if not bot.stand_in:
                rows.look_again(self._context, bot)
                continue
            with suppress(LedgerFailed):
                state = self._context.ledgers.read_named(bot.bot_id)
                if state is not None:
                    self._forget(bot)
                    if (state.is_open or state.contested) and state.bot_id not in self._bots:
                        self._take_up(state, bot.desired.listed)

    def end_all(self) -> None:
        """Tell all bots at once to end, as ``context.service`` says, because the service stops."""
        for bot in self._bots.values():
            self._end(bot)

    def known(self) -> set[str]:
        """The bots that the next listing is expected to hold."""
        return {bot.bot_id for bot in self._bots.values() if bot.desired.listed is not Listed.GONE}

    def unseen(self) -> set[str]:
        """Those of the known bots that no listing since the start has held."""
        return {bot.bot_id for bot in self._bots.values() if bot.desired.listed is Listed.UNSEEN}

    def at_stake(self) -> set[str]:
        """Those of the known bots that have a runner or an open position, or would without a halt."""
        if self._context.halted:
            return self.known()
        return {bot_id for bot_id in self.known() if self._bots[bot_id].at_stake}

    def busy(self) -> bool:
        """True while a process works for a bot, or one is still to be forked."""
        liquidating = self._context.service is Service.LIQUIDATE
        return any(
            bot.process.run is not None
            or bot.process.check is not None
            or bot.process.queued is not None
            or (liquidating and bot.state is State.LIQUIDATING)
            for bot in self._bots.values()
        )

    def _take_up(self, state: LedgerState, listed: Listed) -> None:
        """Make the record of a bot that an earlier run left, and take its next step."""
        bot = self._new(state.bot_id)
        bot.put(replace(bot.desired, listed=listed))
        bot.put(replace(bot.known, ledger=state, current=True), replace(bot.process, ever_ran=True))
        steps.reconcile(self._context, bot)

    def _end(self, bot: Bot) -> None:
        bot.put(replace(bot.holding, pending=None), replace(bot.process, to_check=None))
        bot.put(replace(bot.schedule, liquidate_at=self._context.clock.now))
        if bot.process.check is not None:
            self._context.children.kill(bot.process.check.child)
        hold = self._context.service is Service.HOLD
        if bot.runs_freely:
            steps.tell(self._context, bot, StopMode.HOLD if hold else StopMode.STOP)
        elif (
            bot.process.run is not None and not bot.trades and hold and bot.process.run.told is None
        ):
            steps.tell(self._context, bot, StopMode.HOLD)
        steps.reconcile(self._context, bot)

    def _heard(self, bot: Bot, run: Run) -> None:
        now = self._context.clock.now
        self._context.recent.position(bot)
        if run.stop_since is not None:
            self._context.timers.ask(bot.bot_id, run.deadline(self._context.settings))
        if not bot.runs_freely:
            return
        phase = run.snapshot.phase
        if phase == "RUNNING" and now - run.began >= OUTAGE_OVER:
            bot.put(replace(bot.known, outage=None))
        if phase == "RUNNING" and bot.state is State.BOOTING:
            bot.become(State.RUNNING, now)
        elif phase == "STOPPING" and bot.state in (State.BOOTING, State.RUNNING):
            bot.become(State.STOPPING, now)
            if run.snapshot.stopping_on is not None:
                bot.put(replace(bot.holding, signalled_at=now))

    def _judge(self, bot: Bot, run: Run) -> None:
        why = run.overdue(self._context.clock.now, self._context.settings)
        if why is not None:
            steps.kill(self._context, bot, run, why)
        else:
            self._context.timers.ask(bot.bot_id, run.deadline(self._context.settings))

    def _known(self, bot_id: str) -> Bot:
        bot = self._bots.get(bot_id)
        if bot is None:
            stand_in = self._bots.get(self._context.store.name_of(bot_id))
            if stand_in is not None and stand_in.stand_in:
                self._forget(stand_in)
            bot = self._new(bot_id)
        return bot

    def _new(self, bot_id: str) -> Bot:
        ledger = self._flat.pop(bot_id, None)
        known = KnownPosition(ledger=ledger, current=ledger is not None)
        bot = Bot(bot_id, state_since=self._context.clock.now, known=known)
        self._bots[bot_id] = bot
        return bot

    def _is_over(self, bot: Bot) -> bool:
        return (
            bot.state is State.STOPPED
            and bot.desired.listed is Listed.GONE
            and not bot.contested
            and not bot.abandoned
            and self._context.clock.now >= bot.state_since + SHOWN_STOPPED
        )

    def _forget(self, bot: Bot) -> None:
        del self._bots[bot.bot_id]
        self._context.recent.forget(bot.bot_id)
