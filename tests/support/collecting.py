"""A pytest plug-in: no garbage collection while tests are collected, nor afterwards of what was made by then.

The objects of the tests live as long as the run. Garbage collections that look through them again and
again take a third of the CPU time of collecting, in each worker of pytest-xdist.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect the tests, and leave all objects of that time out of later garbage collections."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
