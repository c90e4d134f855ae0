"""What the time-outs of a systemd unit and the settings of the service in it mean together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from execsvc.settings.model import PREFIX, Settings

LAST_SECONDS = 10.0
"""Seconds a stop may take beyond SHUTDOWN_TIMEOUT: what is killed has to be gone, and the control
plane answers to the end."""
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
    watchdog: float


def longest_stop(settings: Settings) -> float:
    """Seconds that a stop may take, be it the service's own or that of bots left behind."""
    # Bots whose supervisor died are stopped by systemd's TERM alone, and then have STOP_TIMEOUT.
    return max(settings.shutdown_timeout, settings.stop_timeout) + LAST_SECONDS


def unit_faults(times: UnitTimes, settings: Settings) -> list[str]:
    """What in ``times`` cannot work with ``settings``, one line each that names the directive."""
    lines = [
        *_stop_faults("TimeoutStopSec", times.stop, settings),
        *(
            _stop_faults("TimeoutAbortSec", times.abort, settings)
            if times.abort != times.stop and math.isfinite(times.watchdog)
            else []
        ),
    ]
    if times.start < SHORTEST_START:
        lines.append(
            f"TimeoutStartSec ({times.start:g} s) is shorter than the {SHORTEST_START:g} s that a"
            " start may take"
        )
    if math.isinf(times.watchdog):
        lines.append("WatchdogSec is not set: nobody would notice a supervisor that is wedged")
    elif times.watchdog < 2 * LONGEST_STALL:
        lines.append(
            f"WatchdogSec ({times.watchdog:g} s) is shorter than twice the {LONGEST_STALL:g} s"
            " that a busy ledger may hold up the supervisor"
        )
    return lines


def _stop_faults(directive: str, seconds: float, settings: Settings) -> list[str]:
    needed = longest_stop(settings)
    line = (
        f"{directive} ({seconds:g} s) is shorter than the {needed:g} s that a stop may take"
        f" ({PREFIX}SHUTDOWN_TIMEOUT or {PREFIX}STOP_TIMEOUT, the longer one,"
        f" and {LAST_SECONDS:g} s): bots would be killed while they sell"
    )
    return [line] if seconds < needed else []
