"""The end of the service: all bots are stopped at once, and positions that stay open are named."""

from __future__ import annotations

import math

from loguru import logger

from execsvc.events import EventName
from execsvc.exit_codes import DONE, RESIDUE
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.fleet import Fleet
from execsvc.supervisor.bots.next_step import ServiceMode, Step, next_step
from execsvc.supervisor.bots.records import Records
from execsvc.supervisor.processes.context import ProcessContext

KEY = "\0shutdown"
SECOND_AFTER = 2.0
"""Seconds after which another signal shortens the stop."""
SECOND_PATIENCE = 5.0
KILL_PATIENCE = 5.0
"""Seconds of the wait for killed processes; one in an uninterruptible system call may take longer."""


class Shutdown:
    """The stop of the service: from the signal until no process works for a bot any more."""

    def __init__(self, context: ProcessContext, records: Records, fleet: Fleet, bots: Bots) -> None:
        self._context = context
        self._records = records
        self._fleet = fleet
        self._bots = bots
        self._asked = ServiceMode.RUNNING
        self._began_at = -math.inf
        self._until = math.inf
        self._killed = False
        self.left: list[Bot] = []
        """Bots whose position is open that should not be, once the end is concluded."""

    @property
    def begun(self) -> bool:
        """True once the service was told to stop."""
        return self._asked is not ServiceMode.RUNNING

    def begin(self, service: ServiceMode, why: str) -> bool:
        """Stop as ``service`` says, or shorten a stop that is under way; True when it begins."""
        now = self._context.clock.now
        if self.begun:
            self._shorten(now, why)
            return False
        self._asked = self._fleet.service = service
        self._began_at = now
        self._until = now + self._context.settings.shutdown_timeout
        self._context.timers.ask(KEY, self._until)
        holds = "positions are kept" if service is ServiceMode.KEEP else "every position is closed"
        logger.bind(event="service_stopping").info("stopping on {}: {}", why, holds)
        self._bots.end_all()
        return True

    def due(self) -> None:
        """Kill the processes that still run once the time for the stop is over."""
        if self._context.clock.now < self._until:
            self._context.timers.ask(KEY, self._until)
        elif self.begun and not self._killed:
            self._kill_all()

    def over(self) -> bool:
        """True when no process works for a bot any more, or the time to wait for them is over."""
        if not self.begun:
            return False
        given_up = self._killed and self._context.clock.now >= self._until
        return given_up or not self._bots.busy()

    def time_left(self) -> float:
        """Seconds until the time to wait for the processes is over."""
        patience = 0.0 if self._killed else KILL_PATIENCE
        return max(self._until - self._context.clock.now, 0.0) + patience

    def conclude(self) -> int:
        """Log the positions that stay open. Returns the exit code of the service."""
        for bot_id, found in list(self._fleet.bots.items()):
            unsure = found.processes.owner is not None or not found.known.current
            if unsure and not found.stand_in:
                self._bots.see_ledger(bot_id)
            bot = self._fleet.bots[bot_id]
            if not bot.is_open or bot.elsewhere:
                continue
            if self._is_held(bot):
                _log_position(bot, "position held as asked", "INFO", "position_held")
            else:
                _log_position(bot, "position left open", "CRITICAL", "position_left")
                self.left.append(bot)
        return RESIDUE if self.left else DONE

    def _shorten(self, now: float, why: str) -> None:
        if now - self._began_at >= SECOND_AFTER and not self._killed:
            logger.bind(event="service_hurried").warning(
                "{} again: {:g} s are left", why, SECOND_PATIENCE
            )
            self._until = min(self._until, now + SECOND_PATIENCE)
            self._context.timers.ask(KEY, self._until)

    def _kill_all(self) -> None:
        logger.bind(event="service_out_of_time").error("out of time: what still runs is killed")
        self._killed = True
        self._fleet.service = ServiceMode.KEEP  # no process is forked any more
        self._until = self._context.clock.now + KILL_PATIENCE
        self._context.timers.ask(KEY, self._until)
        self._bots.kill_all()

    def _is_held(self, bot: Bot) -> bool:
        if bot.known.unreadable is not None:
            return False
        going_on = ServiceMode.RUNNING if self._asked is ServiceMode.KEEP else self._asked
        step, _ = next_step(bot.case(going_on, halted=self._records.halted))
        return step is not Step.LIQUIDATE


def _log_position(bot: Bot, what: str, level: str, event: EventName) -> None:
    binding = bot.known.ledger.binding if bot.known.ledger is not None else None
    symbol = binding.symbol if binding is not None else None
    tracked = bot.position["tracked"] if bot.known.ledger is not None else "unknown"
    log = bot.log if symbol is None else bot.log.bind(symbol=symbol)
    log.bind(event=event, tracked=tracked).log(
        level, "{}: bot {}, {}, tracked {}", what, bot.bot_id, symbol or "unknown symbol", tracked
    )
