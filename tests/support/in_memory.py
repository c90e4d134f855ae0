"""The directories of tests in memory, where a record that is made durable waits for no disk.

A test that is about a disk takes one of its own, by the fixture ``disk``; with ``--real-starts`` the
directories of all tests are on the disk.
"""

from __future__ import annotations

import os
from pathlib import Path

import psutil

PLACE = Path("/dev/shm")
ROOM = 2 << 30
"""Bytes: several times what the tests of a run have there at any time."""
ROOT_OF_TESTS = "PYTEST_DEBUG_TEMPROOT"
"""pytest's name for the place of the directories of all tests."""


def use(place: Path = PLACE) -> None:
    """Let the directories of tests be in memory, unless they were given a place, or memory is short."""
    if ROOT_OF_TESTS not in os.environ and has_room(place):
        os.environ[ROOT_OF_TESTS] = str(place)


def has_room(place: Path, room: int = ROOM) -> bool:
    """True where ``room`` bytes of files and programs fit into ``place`` and into memory."""
    try:
        found = os.statvfs(place)
    except OSError:
        return False
    fits = min(found.f_bavail * found.f_frsize, psutil.virtual_memory().available) >= room
    return fits and not found.f_flag & os.ST_NOEXEC and os.access(place, os.W_OK)
