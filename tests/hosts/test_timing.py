"""The times of several hosts: what they add up to, and which contradict each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.host_rows import TIMING

from execsvc.errors import ConfigRefused


def test_timing_of_the_defaults_adds_up() -> None:
    assert TIMING.settle_after == 42
    assert TIMING.freeze == 54
    assert TIMING.longest_pause == 40


@pytest.mark.parametrize(
    "change",
    [
        {"self_fence": 12.0},
        {"ttl": 8.0},
        {"beat": 6.0},
        {"beat_timeout": 5.0},
        {"beat": 0.0},
        {"order_timeout": -1.0},
        {"settlement_window": -1.0},
        {"intent_age": 0.0},
        {"moves_per_second": 0.0},
    ],
)
def test_timing_that_contradicts_itself_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigRefused):
        replace(TIMING, **change)


def test_timing_without_a_settlement_window_is_accepted() -> None:
    assert replace(TIMING, settlement_window=0).settle_after == 32
