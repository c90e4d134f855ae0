"""The times before which nothing is done for one bot, and the crashes by which they are chosen."""

from __future__ import annotations

import math
from typing import NamedTuple

from execsvc.supervisor.processes.restarts import Crashes


class Schedule(NamedTuple):
    """The schedule of a bot. Moments are seconds of the loop's own clock."""

    not_before: float = -math.inf
    """The time of its next start, at the earliest."""
    liquidate_at: float = -math.inf
    """The time of the next try to close its position, at the earliest."""
    check_after: float = -math.inf
    """The time of the next check of a changed row, at the earliest."""
    crashes: Crashes = Crashes()
    outages: Crashes = Crashes()
    """The ends of its processes because its ledger could not be read or written at that moment."""
    crashed: bool = False
    """True when its next start is a restart."""
    restart_count: int = 0
