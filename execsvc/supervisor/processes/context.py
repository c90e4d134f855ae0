"""The part of the supervisor that a child of the service itself needs: no bots, no store."""

from __future__ import annotations

from typing import Protocol

from execsvc.settings import Settings
from execsvc.supervisor.processes.child import Children
from execsvc.supervisor.processes.loop_clock import LoopClock
from execsvc.supervisor.processes.timers import Timers


class ProcessContext(Protocol):
    """Settings, children, clock and timers of the supervisor; ``settings`` change in flight."""

    settings: Settings
    children: Children
    clock: LoopClock
    timers: Timers
