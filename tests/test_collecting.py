"""Garbage collections of a run of the tests."""

from __future__ import annotations

import gc
import weakref

ENABLED_WHILE_COLLECTED = gc.isenabled()


class Cycle:
    """An object that only a garbage collection frees."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_collection_while_tests_are_collected_is_disabled() -> None:
    assert not ENABLED_WHILE_COLLECTED
    assert gc.get_freeze_count() > 0


def test_garbage_collection_while_a_test_runs_frees_cycles() -> None:
    seen = weakref.ref(Cycle())
    gc.collect()
    assert gc.isenabled()
    assert seen() is None
