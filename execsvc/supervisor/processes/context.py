"""The parts of the supervisor that every child of the service needs: no bots, no store."""

from __future__ import annotations

from dataclasses import dataclass, field

from execsvc.settings import Settings
from execsvc.supervisor.processes.child import Children
from execsvc.supervisor.processes.loop_clock import LoopClock, Timers


@dataclass
class ProcessContext:
    """Settings, children, clock and timers of the supervisor; ``settings`` change in flight."""

    settings: Settings
    children: Children = field(default_factory=Children)
    clock: LoopClock = field(default_factory=LoopClock)
    timers: Timers = field(default_factory=Timers)
