"""The last seconds of the service: what is still to be told, then nothing of ours is left alive."""

from __future__ import annotations

from collections.abc import Callable, Collection

from execsvc.supervisor.alerting import Alerts
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.processes.http_process import HttpProcess
from execsvc.supervisor.reporting import ReportingProcess

KEY = "\0farewell"
FAREWELL = 0.5
"""Seconds that the control plane has for the answers under way when all else is over."""
REPORT_GRACE = 2.0
"""Seconds that reports to BotService have to be delivered; what is left follows at the next start."""
ALERT_GRACE = 5.0
"""Seconds that alerts have to be delivered; nobody waits where none is left."""


def say_farewell(
    context: Context,
    turn: Callable[[], None],
    reporting: ReportingProcess,
    alerts: Alerts,
    http: HttpProcess,
    left: Collection[Bot],
) -> None:
    """Reports and alerts go out, and the control plane answers to the very end.

    ``turn`` is one turn of the loop, ``left`` the bots whose position is open that should not be.
    """

    def until(over: Callable[[], bool], end: float) -> None:
        while not over() and context.clock.now < end:
            context.timers.ask(KEY, end)
            turn()

    began = context.clock.now
    reporting.finish()
    alerts.farewell(left)
    until(lambda: reporting.gone, began + REPORT_GRACE)
    reporting.stop()
    until(lambda: alerts.delivered, began + ALERT_GRACE)
    alerts.stop()
    for go in (http.dismiss, http.kill):
        go()
        until(lambda: http.gone, context.clock.now + FAREWELL)
