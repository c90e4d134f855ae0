"""The supervisor's end of alerts: new and ended conditions, messages to be sent, alerts delivered."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Collection

from loguru import logger
from pydantic import ValidationError

from execsvc.alerts.messages import AlertMessage, Delivered, message_about, sender, stopped
from execsvc.alerts.outbox import AlertOutbox
from execsvc.alerts.sent_alerts import SentAlerts
from execsvc.alerts.tracker import AlertTracker, EarlierAlert
from execsvc.model.condition import OF_THE_SERVICE, Kind
from execsvc.settings import Settings, alert_urls
from execsvc.store.service_store import ServiceStore
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.worker_channel import WorkerChannel
from execsvc.supervisor.status.conditions import conditions, left_open
from execsvc.supervisor.status.facts import Facts
from execsvc.workers.channel import Pipes

CHECK_KEY = "\0alert check"
CHECK_EVERY = 1.0
HANG = 60.0
"""Seconds without a heartbeat after which the sending process is replaced, at least."""
SLOW_LISTING = 20
"""Poll intervals for which a listing has to be stale: BotService may only have been restarted."""


class AlertDispatch:
    """Sends alerts about conditions, if the settings have addresses. No method waits."""

    def __init__(
        self,
        context: ProcessContext,
        store: ServiceStore,
        selector: selectors.BaseSelector,
        facts: Callable[[], Facts],
    ) -> None:
        self._context = context
        self._store = store
        self._facts = facts
        self._on = context.settings.alert_urls is not None
        self._outbox = AlertOutbox(_count(context.settings))
        self.channel = WorkerChannel(
            context,
            selector,
            "alerts",
            self._work,
            self._receive,
            longest_silence=HANG,
            on_end=self._outbox.take_back,
        )
        self._sender = sender(context.settings.state_dir)
        self._sent: SentAlerts | None = None
        self._tracker = AlertTracker({}, context.clock.now)

    @property
    def delivered(self) -> bool:
        """True when no message waits that could be sent."""
        return not len(self._outbox) or self.channel.gone

    def start(self) -> None:
        """Start the process and the checks of conditions, if there is an address."""
        if not self._on:
            return
        self._sent = SentAlerts(self._store.sent_alerts())
        sent = {key: EarlierAlert(a.kind, a.line, a.sure) for key, a in self._sent.by_key.items()}
        self._tracker = AlertTracker(sent, self._context.clock.now)
        self.channel.start()
        self._check_again()

    def check(self) -> None:
        """Make a message of each change of conditions, and hand over the messages that wait."""
        if self._sent is None:
            return
        now, settings = self._context.clock.now, self._context.settings
        facts = self._facts()
        running = facts.service is ServiceMode.RUNNING
        judged = set(Kind) if running else set(Kind) - OF_THE_SERVICE
        found = conditions(facts, self._sent.of(Kind.LEFT))
        patience = {Kind.LISTING: SLOW_LISTING * settings.poll_interval}
        for news in self._tracker.update(now, found, judged, patience, settings.alert_reminder):
            self._put(message_about(news, self._sender))
        self._hand_over()
        self._check_again()

    def send_last(self, left: Collection[Bot]) -> None:
        """Send the last message of the service; ``left``: bots whose position should not be open."""
        if self._sent is None:
            return
        if left:
            self._put(stopped([left_open(bot) for bot in left], self._sender))
        self._hand_over(at_once=True)

    def _work(self, pipes: Pipes) -> int:
        # Apprise is imported in this child only: it would add to the memory of each bot.
        from execsvc.workers.alerts import run_alerts

        return run_alerts(self._context.settings, pipes)

    def _put(self, message: AlertMessage) -> None:
        dropped = self._outbox.dropped
        self._outbox.put(message)
        if self._outbox.dropped > dropped:
            logger.bind(event="alert_dropped").warning("too many alerts wait: one was dropped")

    def _hand_over(self, at_once: bool = False) -> None:
        if self._sent is None:
            return
        for job in self._outbox.to_hand(at_once):
            # Recorded before the hand-over, as this process may die after the delivery.
            self._sent.handed(self._outbox.message(job.number))
            if not self.channel.request(job.encode()):
                break
            self._outbox.handed(job.number)

    def _receive(self, line: bytes) -> None:
        try:
            delivered = Delivered.model_validate_json(line)
        except ValidationError:
            return
        if self._sent is None:
            return
        first = self._outbox.delivered(delivered.number, delivered.target)
        if first is not None:
            self._sent.delivered(first)
        self._hand_over()

    def _check_again(self) -> None:
        self._context.timers.ask(CHECK_KEY, self._context.clock.now + CHECK_EVERY)


def _count(settings: Settings) -> int:
    urls = settings.alert_urls
    return len(alert_urls(urls.get_secret_value())) if urls is not None else 0
