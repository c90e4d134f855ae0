"""The garbage collector stands still during imports and goes on afterwards."""

from __future__ import annotations

import gc

import pytest

from execsvc import collector


def test_paused_block_ends_or_fails_collector_goes_on() -> None:
    with collector.paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="a module that fails"), collector.paused():
        raise ValueError("a module that fails")
    assert gc.isenabled()


def test_paused_collector_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collector.paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
