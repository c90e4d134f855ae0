"""The memory that this process shares with its forked processes, kept shared.

A page stays shared until one of the two writes to it, and CPython writes to every object that it
reads: the reference count lies in the object. ``gc.freeze`` keeps collections away;
where the interpreter knows immortal objects (PEP 683), whose count is never written, everything
that is there before the first fork is made immortal as well: those objects would live as
long as the process anyway. For a bot this is half of its memory.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from types import CodeType
from typing import Any

_VERSIONS = ((3, 12), (3, 13))
"""The versions whose immortal count is 32 bits of ones in the first word of every object.

https://github.com/python/cpython/blob/3.13/Include/object.h; older ones know none, and 3.14
keeps flags beside the count."""
_IMMORTAL = 0xFFFF_FFFF


def share_heap() -> None:
    """Keep the heap shared. To be called once before the first fork, when all that a child needs is made."""
    gc.collect()
    if knows_immortals():
        _make_immortal(gc.get_objects())
    gc.freeze()


def knows_immortals() -> bool:
    """True where an object can be made immortal, by a check of one that is."""
    if sys.implementation.name != "cpython" or sys.version_info[:2] not in _VERSIONS:
        return False
    if sys.maxsize < 2**32 or sys.byteorder != "little" or not _has_usual_layout():
        return False
    word = ctypes.c_uint64.from_address(id(None)).value
    return word == _IMMORTAL


def _has_usual_layout() -> bool:
    """True where the first word of an object is its count: not in builds that trace or have no GIL."""
    if hasattr(sys, "getobjects") or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return False
    probe = [object()]
    before = sys.getrefcount(probe[0])
    word = ctypes.c_uint64.from_address(id(probe[0]))
    return word.value == before - 1


def _make_immortal(objects: list[Any]) -> None:
    """Make ``objects`` immortal, and all that can be reached from them; an immortal one was done before."""
    count_of = ctypes.c_uint32.from_address
    while objects:
        met = []
        for each in objects:
            # Most are met again and again: sys.getrefcount is the cheapest read of a count.
            if sys.getrefcount(each) < _IMMORTAL:
                count_of(id(each)).value = _IMMORTAL
                met.append(each)
        objects = gc.get_referents(*met)
        # The collector is not shown what a function's code is made of.
        objects += [each.co_consts for each in met if type(each) is CodeType]
