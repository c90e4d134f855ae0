"""The place of the directories that tests write to: memory, where this machine has enough of it.

Each commit of a ledger waits for the disk, which is a seventh of the CPU time of the tests of a
daemon and more of their waiting. What is on disk counts after a power failure alone, and no test
has one: what a process that is killed has written is there in either case.
"""

from __future__ import annotations

import os
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 4 << 30
"""Bytes that have to be free: all tests side by side, and what is kept of those that failed."""
_PLACE = "PYTEST_DEBUG_TEMPROOT"
"""The variable by which pytest is told where its temporary directories are."""


def choose(place: Path = MEMORY) -> None:
    """Let the directories of this run be in ``place``, unless the caller has chosen another."""
    if fits(place):
        os.environ.setdefault(_PLACE, str(place))


def fits(place: Path) -> bool:
    """True for a file system in memory with enough room, from which programs may be run."""
    try:
        found = os.statvfs(place)
    except OSError:
        return False
    if found.f_flag & (os.ST_NOEXEC | os.ST_RDONLY) or not os.access(place, os.W_OK | os.X_OK):
        return False
    return found.f_bavail * found.f_frsize >= ENOUGH and _available() >= 2 * ENOUGH


def _available() -> int:
    """Bytes of memory that programs may still have, by the kernel's estimate; 0 when unknown."""
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else 0
