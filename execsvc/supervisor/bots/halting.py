"""The halt of all trading, and its end: recorded first, then passed on to every bot."""

from __future__ import annotations

from loguru import logger

from execsvc.errors import LedgerFailed
from execsvc.store.halted import Halted
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.facts import Occurrence
from execsvc.supervisor.bots.records import Records
from execsvc.supervisor.processes.context import ProcessContext

KEY = "\0halt"
LONGEST_INTERVAL = 5.0
"""Seconds between two reads of the record of the halt, at most; POLL_INTERVAL where that is less."""


class Halting:
    """The halt of all trading."""

    def __init__(self, context: ProcessContext, records: Records, bots: Bots) -> None:
        self._context = context
        self._records = records
        self._bots = bots

    @property
    def current(self) -> Halted | None:
        """The halt in force; None when bots may trade."""
        return self._records.halt.current

    def halt(self, reason: str | None) -> str | None:
        """Halt all trading: close every position, start no bot. Returns the reason why it is not on the disk.

        The halt is written before the first bot is stopped, so that after a crash in between the next
        start goes on with the halt; bots are stopped whether or not the record could be written.
        """
        self._records.store.make_room()
        fault = None
        try:
            self._records.halt.begin(reason)
        except LedgerFailed as error:
            fault = str(error)
            logger.bind(event="halt_not_written").critical(
                "{}; trading is halted until the service restarts, and no longer", error
            )
        self.log()
        self._bots.apply_to_all(Occurrence.HALTED)
        return fault

    def check(self) -> None:
        """Take a halt that a command has recorded because it could not reach this process.

        A halt in force stays until :func:`resume`, even if its record is removed, which is then written
        again.
        """
        interval = min(self._context.settings.poll_interval, LONGEST_INTERVAL)
        self._context.timers.ask(KEY, self._context.clock.now + interval)
        before = self._records.halt.current
        try:
            restored = self._records.halt.refresh()
        except LedgerFailed:
            return  # logged when the halt began; the next check tries again
        if restored:
            logger.bind(event="halt_restored").warning(
                "{} is written again: trading is halted, also over a restart (execsvc resume ends it)",
                self._records.halt.name,
            )
        if self._records.halt.current != before:
            self.log()
            self._bots.apply_to_all(Occurrence.HALTED)

    def resume(self) -> None:
        """Let the listed bots run again, except those that are HELD or FAILED for a reason of their own.

        Raises LedgerFailed, and then trading stays halted.
        """
        self._records.halt.end()
        logger.bind(event="trading_resumed").warning("trading is resumed")
        self._bots.apply_to_all(Occurrence.RESUMED)

    def log(self) -> None:
        """Write to the log that trading is halted, if it is."""
        halted = self._records.halt.current
        if halted is not None:
            level = "WARNING" if self._records.halt.damage is None else "CRITICAL"
            logger.bind(event="trading_halted", since=halted.since).log(
                level,
                "{} (since {}); positions are closed, no bot is started",
                halted.text,
                halted.since,
            )
