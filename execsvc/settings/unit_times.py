"""What the time-outs of a systemd unit and the settings of the service in it mean together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from execsvc.settings.model import PREFIX, Settings

LAST_SECONDS = 20.0
"""Seconds a stop may take beyond SHUTDOWN_TIMEOUT: what is killed has to be gone, alerts go out, and
the control plane answers to the end."""
LONGEST_STALL = 10.0
"""Seconds the supervisor's loop may be held up without being wedged: by a ledger that is busy."""
SHORTEST_START = 30.0
"""Seconds from the start to READY on a slow machine with many ledgers."""


@dataclass(frozen=True)
class UnitTimes:
    """Time-outs of a unit, in seconds; infinity where it has none."""

    start: float
    stop: float
    abort: float
    """What is left after a watchdog's signal; ``stop`` where the unit does not say."""
    watchdog: float | None
    """None where nobody can tell."""


def longest_stop_alone(settings: Settings) -> float:
    """Seconds that a bot may take to stop when its supervisor is dead: systemd's TERM is all it
    gets, and nobody asks for more time.
    """
    return settings.stop_timeout + settings.order_timeout + settings.settlement_window


def longest_stop(settings: Settings) -> float:
    """Seconds that an orderly stop may take."""
    return settings.shutdown_timeout + LAST_SECONDS


def unit_faults(times: UnitTimes, settings: Settings) -> list[str]:
    """Time-outs that leave positions open, one line each that names the directive."""
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
    """Time-outs that will do only while nothing else goes wrong, one line each."""
    lines = []
    if times.stop < longest_stop(settings):
        lines.append(
            f"TimeoutStopSec ({times.stop:g} s) is shorter than {PREFIX}SHUTDOWN_TIMEOUT and"
            f" {LAST_SECONDS:g} s: a stop that sells nothing for a while is cut short"
        )
    if times.watchdog is None:
        return lines
    if math.isinf(times.watchdog):
        lines.append("WatchdogSec is not set: nobody would notice a supervisor that is wedged")
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
