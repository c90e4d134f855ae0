"""The freeze after a failover of the database."""

from __future__ import annotations

import pytest
from support.host_rows import TIMING, answer

from execsvc.hosts.timeline import TimelineWatch


def watched(*seen: tuple[float, int, int]) -> TimelineWatch:
    """A watch that saw, at each moment, a timeline and the acknowledged one."""
    watch = TimelineWatch(TIMING)
    for at, timeline, acknowledged in seen:
        watch = watch.answered(answer(timeline=(timeline, acknowledged)), at)
    return watch


def test_timeline_that_is_acknowledged_freezes_nothing() -> None:
    assert not watched((0, 3, 3)).frozen


@pytest.mark.parametrize("timeline", [2, 4])
def test_timeline_that_is_another_freezes_whichever_way_it_went(timeline: int) -> None:
    assert watched((0, 3, 3), (3, timeline, 3)).frozen


@pytest.mark.parametrize(("now", "may"), [(53.9, False), (54, True)])
def test_timeline_is_acknowledged_after_a_full_freeze_only(now: float, may: bool) -> None:
    watch = watched((0, 2, 1), (30, 2, 1))

    assert watch.may_acknowledge(now) is may
    assert watch.frozen


def test_timeline_acknowledged_by_another_host_ends_the_freeze_here() -> None:
    watch = watched((0, 2, 1), (3, 2, 2))

    assert not watch.frozen
    assert not watch.may_acknowledge(1000)


def test_timeline_of_a_second_failover_begins_the_time_again() -> None:
    assert not watched((0, 2, 1), (50, 3, 1)).may_acknowledge(60)


def test_timeline_whose_acknowledgement_was_lost_is_frozen_for_the_full_time() -> None:
    watch = watched((0, 2, 2), (50, 2, 1))

    assert watch.frozen
    assert not watch.may_acknowledge(60)
    assert watch.may_acknowledge(104)


def test_log_that_went_back_freezes_until_the_timeline_is_acknowledged_anew() -> None:
    healthy = answer()
    watch = TimelineWatch(TIMING).answered(healthy, 0)
    watch = watch.answered(healthy._replace(lsn=99), 3)
    assert watch.frozen
    assert watch.may_distrust

    watch = watch.answered(healthy._replace(acknowledged=0), 6)
    assert not watch.may_distrust
    assert not watch.may_acknowledge(59)
    assert watch.may_acknowledge(60)

    assert not watch.answered(healthy, 61).frozen


def test_log_that_went_back_stays_frozen_until_the_distrust_is_recorded() -> None:
    healthy = answer()
    watch = TimelineWatch(TIMING).answered(healthy, 0)
    watch = watch.answered(healthy._replace(lsn=99), 3).answered(healthy, 6)

    assert watch.frozen
    assert watch.may_distrust
