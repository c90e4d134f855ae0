"""The messages of the service to systemd, once a second."""

from __future__ import annotations

from collections.abc import Callable

from execsvc.settings.checks import LONGEST_LIQUIDATION_DELAY
from execsvc.settings.model import Settings
from execsvc.supervisor.bots.fleet import Fleet
from execsvc.supervisor.last_steps import ALERT_GRACE, ANSWER_GRACE
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.shutdown import Shutdown
from execsvc.supervisor.systemd import Notifier

KEY = "\0bulletin"
LEAVING = ALERT_GRACE + 2 * ANSWER_GRACE + 4.0
"""Seconds that the last steps of a stop may take, after the wait for the bots."""

Position = tuple[str, str, str | None, str | None]


class SystemdUpdates:
    """Sends the counts as they change, watchdog messages, and requests for time while a stop goes on.

    ``counts`` returns, in a few words, the count of bots in each state.
    """

    def __init__(
        self,
        context: ProcessContext,
        fleet: Fleet,
        shutdown: Shutdown,
        counts: Callable[[], str],
    ) -> None:
        self._context = context
        self._fleet = fleet
        self._shutdown = shutdown
        self._counts = counts
        self._notifier = Notifier()
        self._sent = ""
        self._open: set[Position] | None = None

    def ready(self) -> None:
        """Report that the service is ready."""
        self._sent = self._counts()
        self._notifier.ready(self._sent)
        self.due()

    def stopping(self) -> None:
        """Report that the service has begun to stop."""
        self._notifier.stopping(self._counts())

    def due(self) -> None:
        """Send the messages that are due; only this call, from the loop, feeds the watchdog."""
        if not self._notifier.enabled:
            return
        counts = self._counts()
        if counts != self._sent:
            self._notifier.status(counts)
            self._sent = counts
        self._notifier.alive()
        if self._shutdown.begun:
            self._ask_for_time()
        clock = self._context.clock
        self._context.timers.ask(KEY, clock.now + self._notifier.interval)

    def _ask_for_time(self) -> None:
        """Ask for more time if the stop has made progress; without progress the unit's time-outs apply."""
        left = {
            (bot.bot_id, bot.state.value, bot.position["tracked"], bot.position["sold_short"])
            for bot in self._fleet.bots.values()
            if bot.at_stake
        }
        if left != self._open:
            self._open = left
            until_the_end = self._shutdown.time_left() + LEAVING
            self._notifier.more_time(min(_longest_step(self._context.settings), until_the_end))


def _longest_step(settings: Settings) -> float:
    """Seconds within which a liquidation that goes on makes visible progress: an order, its
    settlement, and the wait before the next attempt.
    """
    return settings.order_timeout + settings.settlement_window + LONGEST_LIQUIDATION_DELAY
