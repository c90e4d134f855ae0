"""The limits of the kernel: open files and tasks for so many bots."""

from __future__ import annotations

import re
import resource
from pathlib import Path

from execsvc.doctor.finding import Finding, fault, passed
from execsvc.doctor.unit import Unit

FILES_A_BOT = 4
"""Descriptors of the supervisor for a bot and, now and then, the check of its changed row."""
FILES_BESIDE = 64
TASKS_A_BOT = 2
TASKS_BESIDE = 20
"""Descriptors for supervisor, listing, and the control plane with its threads."""
_CHECK = "limits"
_PROC = Path("/proc")
_PID_MAX = Path("/proc/sys/kernel/pid_max")
_OPEN_FILES = re.compile(r"^Max open files +\S+ +(\d+)", re.MULTILINE)


def check(bots: int, unit: Unit | None) -> list[Finding]:
    """The findings for ``bots`` bots in ``unit``, or in a service run from here."""
    loaded = unit if unit is not None and unit.is_loaded else None
    return [
        limit_finding("open files", open_files(loaded), files_for(bots), bots, "LimitNOFILE"),
        limit_finding("tasks", tasks(loaded), tasks_for(bots), bots, "TasksMax"),
    ]


def files_for(bots: int) -> int:
    """Open files that the supervisor of so many bots may need."""
    return FILES_BESIDE + FILES_A_BOT * bots


def tasks_for(bots: int) -> int:
    """Processes and threads that the service of so many bots may need."""
    return TASKS_BESIDE + TASKS_A_BOT * bots


def limit_finding(
    what: str, allowed: int | None, needed: int, bots: int, directive: str
) -> Finding:
    """The finding about one limit; ``allowed`` is None where there is none."""
    shown = "unlimited" if allowed is None else str(allowed)
    text = f"{what}: {shown}, {bots} bots need up to {needed}"
    if allowed is None or allowed >= needed:
        return passed(_CHECK, text)
    return fault(_CHECK, text, f"raise {directive} of the unit to {2 * needed} (systemctl edit)")


def open_files(unit: Unit | None) -> int | None:
    """Open files that the supervisor may have: it raises its soft limit to the hard one."""
    if unit is None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        return None if hard == resource.RLIM_INFINITY else hard
    if unit.main_pid is not None:
        try:
            found = _OPEN_FILES.search((_PROC / str(unit.main_pid) / "limits").read_text())
        except OSError:
            found = None
        if found is not None:
            return int(found[1])
    return unit.number("LimitNOFILE")


def tasks(unit: Unit | None) -> int | None:
    """Tasks that the service may have."""
    if unit is None:
        _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        own = None if hard == resource.RLIM_INFINITY else hard
    else:
        own = unit.number("TasksMax")
    try:
        most = int(_PID_MAX.read_text())
    except (OSError, ValueError):
        return own
    return most if own is None else min(own, most)
