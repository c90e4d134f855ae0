"""The last seconds of the service: the last reports and alerts, then the end of the children."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection
from functools import partial

from execsvc.supervisor.alert_dispatch import AlertDispatch
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.worker_channel import WorkerChannel
from execsvc.supervisor.report_requests import ReportRequests

KEY = "\0last steps"
ANSWER_GRACE = 0.5
"""Seconds that the control plane has for the answers under way when all other work is over."""
REPORT_GRACE = 2.0
"""Seconds for the delivery of reports to BotService; the next start delivers the others."""
ALERT_GRACE = 5.0
"""Seconds for the delivery of alerts; there is no wait where none is left."""


def end_workers(
    context: ProcessContext,
    turn: Callable[[], None],
    reporting: ReportRequests,
    alerts: AlertDispatch,
    http: WorkerChannel,
    left: Collection[Bot],
) -> None:
    """Send the last reports and alerts, while the control plane still answers, then end the children.

    ``turn`` is one turn of the loop, ``left`` the bots whose position is open that should not be.
    """

    def until(over: Callable[[], bool], end: float) -> None:
        while not over() and context.clock.now < end:
            context.timers.ask(KEY, end)
            turn()

    began = context.clock.now
    reporting.finish()
    alerts.send_last(left)
    until(lambda: reporting.channel.gone, began + REPORT_GRACE)
    reporting.channel.stop()
    until(lambda: alerts.delivered, began + ALERT_GRACE)
    alerts.channel.stop()
    for end in (partial(http.terminate, signal.SIGTERM), http.stop):
        end()
        until(lambda: http.gone, context.clock.now + ANSWER_GRACE)
