"""Checks of the time-outs of a systemd unit against the settings of the service in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from execsvc.settings.model import PREFIX, Settings

LAST_SECONDS = 20.0
"""Seconds a stop may take beyond SHUTDOWN_TIMEOUT: killed processes have to end, alerts go out, and
the control plane answers to the end.
"""
LONGEST_STALL = 10.0
"""Seconds for which a busy ledger may hold up the supervisor's loop without a hang."""
SHORTEST_START = 30.0
"""Seconds from the start to READY on a slow machine with many ledgers."""


@dataclass(frozen=True)
class UnitTimes:
    """Time-outs of a unit, in seconds; infinity where it has none."""

    start: float
    stop: float
    abort: float
    """The time left after a watchdog's signal; ``stop`` where the unit does not say."""
    watchdog: float | None
    """None where it is unknown."""


def longest_stop_alone(settings: Settings) -> float:
    """Seconds that a bot may take to stop when its supervisor is dead.

    systemd's TERM is all that the bot gets then, and no process asks for more time.
    """
    return settings.stop_timeout + settings.order_timeout + settings.settlement_window


def longest_stop(settings: Settings) -> float:
    """Seconds that an orderly stop may take."""
    return settings.shutdown_timeout + LAST_SECONDS


def unit_faults(times: UnitTimes, settings: Settings) -> list[str]:
    """Time-outs that leave positions open, one line each, with the name of the directive."""
    lines = _cut_short("TimeoutStopSec", times.stop, settings)
    if times.abort != times.stop and (times.watchdog is None or math.isfinite(times.watchdog)):
        lines += _cut_short("TimeoutAbortSec", times.abort, settings)
    if times.start < SHORTEST_START:
        lines.append(
            f"TimeoutStartSec ({times.start:g} s) is shorter than the {SHORTEST_START:g} s that a"
            " start may take"
        )
    return lines


def unit_warnings(times: UnitTimes, settings: Settings) -> list[str]:
    """Time-outs that suffice only while nothing else fails, one line each."""
    lines = []
    if times.stop < longest_stop(settings):
        lines.append(
            f"TimeoutStopSec ({times.stop:g} s) is shorter than {PREFIX}SHUTDOWN_TIMEOUT and"
            f" {LAST_SECONDS:g} s: a stop that sells nothing for a while is cut short"
        )
    if times.watchdog is None:
        return lines
    if math.isinf(times.watchdog):
        lines.append("WatchdogSec is not set: a supervisor that hangs would not be detected")
    elif times.watchdog < 2 * LONGEST_STALL:
        lines.append(
            f"WatchdogSec ({times.watchdog:g} s) is shorter than twice the {LONGEST_STALL:g} s"
            " that a busy ledger may hold up the supervisor"
        )
    return lines


def _cut_short(directive: str, seconds: float, settings: Settings) -> list[str]:
    needed = longest_stop_alone(settings)
    line = (
        f"{directive} ({seconds:g} s) is shorter than the {needed:g} s that a bot may take to stop"
        f" ({PREFIX}STOP_TIMEOUT + {PREFIX}ORDER_TIMEOUT + {PREFIX}SETTLEMENT_WINDOW): it would"
        " be killed while it sells"
    )
    return [line] if seconds < needed else []
