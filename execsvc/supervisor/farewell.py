"""The last seconds of the service: what is still to be told, then nothing of ours is left alive."""

from __future__ import annotations

from collections.abc import Callable, Collection

from execsvc.supervisor.alerts.desk import Alerts
from execsvc.supervisor.bot import Bot
from execsvc.supervisor.context import Context
from execsvc.supervisor.front import Front

KEY = "\0farewell"
FAREWELL = 0.5
"""Seconds that the control plane has for the answers under way when all else is over."""
ALERT_GRACE = 5.0
"""Seconds that alerts have to be delivered; nobody waits where none is left."""


def say_farewell(
    context: Context,
    turn: Callable[[], None],
    alerts: Alerts,
    front: Front,
    left: Collection[Bot],
) -> None:
    """Alerts go out, and the control plane answers to the very end.

    ``turn`` is one turn of the loop, ``left`` the bots whose position is open that should not be.
    """

    def until(over: Callable[[], bool], seconds: float) -> None:
        end = context.clock.now + seconds
        while not over() and context.clock.now < end:
            context.timers.ask(KEY, end)
            turn()

    alerts.farewell(left)
    until(lambda: alerts.delivered, ALERT_GRACE)
    alerts.stop()
    for go in (front.dismiss, front.kill):
        go()
        until(lambda: front.gone, FAREWELL)
