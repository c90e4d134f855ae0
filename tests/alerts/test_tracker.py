"""Alerts about conditions that come, stay, flap and go."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from execsvc.alerts.tracker import (
    CALM,
    GATHER,
    PAUSE,
    SETTLING,
    UNSTEADY,
    AlertTracker,
    Change,
    EarlierAlert,
    News,
)
from execsvc.model.condition import OF_THE_SERVICE, Condition, Kind

HOUR = 3600.0
Said = tuple[str, str, list[str]]


def wrong(bot_id: str, kind: Kind = Kind.FAILED) -> Condition:
    return Condition(kind, bot_id, f"health of {bot_id}", bot_id, "why")


class Service:
    """AlertTracker that are asked ``every`` so many seconds, and all that they said."""

    def __init__(self, earlier: dict[str, EarlierAlert] | None = None, every: float = 1) -> None:
        self.now = 1000.0
        self.every = every
        self.tracker = AlertTracker(earlier or {}, self.now)
        self.said: list[tuple[float, News]] = []

    def live(
        self, seconds: float, *conditions: Condition, judged: Collection[Kind] = tuple(Kind)
    ) -> list[Said]:
        """Let time pass with these conditions; what was said meanwhile."""
        before = len(self.said)
        for _ in range(int(seconds / self.every)):
            self.now += self.every
            patience = {Kind.LISTING: 100.0}
            for news in self.tracker.update(self.now, conditions, judged, patience, HOUR):
                self.said.append((self.now, news))
        return [
            (news.change.value, news.kind.value, [item.key for item in news.items])
            for _, news in self.said[before:]
        ]


BEGUN = ("begun", "failed", ["failed:b1"])
OVER = ("over", "failed", ["failed:b1"])


def test_once_when_it_begins_and_once_when_it_is_over() -> None:
    service = Service()
    assert service.live(HOUR * 5, wrong("b1")) == [BEGUN]
    assert service.live(CALM + GATHER + 1) == [OVER]
    assert service.live(HOUR) == []


def test_it_is_said_within_seconds() -> None:
    service = Service()
    assert service.live(GATHER, wrong("b1")) == []
    assert service.live(1, wrong("b1")) == [BEGUN]


def test_what_is_over_before_it_was_said_is_never_said() -> None:
    service = Service()
    assert service.live(2, wrong("b1")) == []
    assert service.live(HOUR) == []


def test_a_moment_of_calm_is_not_the_end() -> None:
    service = Service()
    service.live(10, wrong("b1"))
    for _ in range(20):
        assert service.live(CALM - 2) == []
        assert service.live(5, wrong("b1")) == []


def test_what_comes_and_goes_is_said_at_most_twice_in_ten_minutes() -> None:
    service = Service()
    for _ in range(200):
        service.live(20, wrong("b1"))
        service.live(20)
    changes = [news.change for _, news in service.said]
    assert changes == [Change.BEGUN, Change.OVER, Change.BEGUN]
    assert [item.times for item in service.said[-1][1].items] == [2]
    assert service.live(UNSTEADY - 40) == []
    assert service.live(60) == [OVER]


def test_what_is_steady_again_is_new_again() -> None:
    service = Service()
    service.live(10, wrong("b1"))
    service.live(UNSTEADY + 60)
    service.live(10, wrong("b1"))
    assert service.said[-1][1].items[0].times == 1
    assert service.live(CALM + GATHER + 1) == [OVER]


def test_bad_news_is_not_withheld_after_good_news() -> None:
    service = Service()
    service.live(10, wrong("b1"))
    service.live(PAUSE)
    assert service.live(GATHER + 1, wrong("b1")) == [BEGUN]


def test_a_thousand_at_once_are_one_message() -> None:
    service = Service(every=5)
    many = [wrong(f"b{n}") for n in range(1000)]
    ((change, kind, keys),) = service.live(HOUR, *many)
    assert (change, kind, len(keys)) == ("begun", "failed", 1000)
    ((change, kind, keys),) = service.live(60)
    assert (change, kind, len(keys)) == ("over", "failed", 1000)


def test_a_thousand_one_after_the_other_are_one_message_in_half_a_minute() -> None:
    service = Service()
    for count in range(1, 1001, 5):  # five a second
        service.live(1, *[wrong(f"b{n}") for n in range(count)])
    service.live(PAUSE, *[wrong(f"b{n}") for n in range(1000)])
    assert len(service.said) <= 1000 / 5 / PAUSE + 2
    assert sum(len(news.items) for _, news in service.said) == 996 + 4


def test_kinds_are_said_apart() -> None:
    service = Service()
    said = service.live(10, wrong("b1"), wrong("b1", Kind.CONTESTED))
    assert said == [BEGUN, ("begun", "contested", ["contested:b1"])]


def test_a_liquidation_is_remembered_once_an_hour_and_all_of_them_at_once() -> None:
    service = Service()
    first, second = wrong("b1", Kind.LIQUIDATION), wrong("b2", Kind.LIQUIDATION)
    service.live(600, first)
    said = service.live(HOUR * 3, first, second)
    keys = ["liquidation:b1", "liquidation:b2"]
    assert said == [("begun", "liquidation", keys[1:])] + [("still", "liquidation", keys)] * 3


def test_patience() -> None:
    service = Service()
    assert service.live(99, wrong("", Kind.LISTING)) == []
    assert service.live(5, wrong("", Kind.LISTING)) == [("begun", "listing", ["listing:"])]


@pytest.mark.parametrize("stands", [True, False])
def test_after_a_start_what_was_said_is_not_said_again_and_its_end_is(stands: bool) -> None:
    service = Service({"failed:b1": EarlierAlert(Kind.FAILED, "b1: why")})
    if stands:
        assert service.live(HOUR, wrong("b1")) == []
    else:
        assert service.live(SETTLING) == []
        assert service.live(GATHER + 2) == [OVER]
        assert service.said[-1][1].items[0].line == "b1: why"


def test_after_a_start_it_has_time_to_come_back() -> None:
    service = Service({"failed:b1": EarlierAlert(Kind.FAILED, "b1: why")})
    assert service.live(SETTLING - 5) == []
    assert service.live(HOUR, wrong("b1")) == []


def test_what_cannot_be_judged_is_neither_over_nor_new() -> None:
    service = Service()
    service.live(200, wrong("", Kind.LISTING))
    assert service.live(HOUR, judged=set(Kind) - OF_THE_SERVICE) == []


def test_what_was_given_up_is_said_once_and_never_over() -> None:
    service = Service()
    given_up = wrong("b1", Kind.ABANDONED)
    assert service.live(HOUR, given_up) == [("begun", "abandoned", ["abandoned:b1"])]
    assert service.live(HOUR) == []
    assert service.live(HOUR, given_up) == [("begun", "abandoned", ["abandoned:b1"])]


UNSURE = {"failed:b1": EarlierAlert(Kind.FAILED, "b1: why", sure=False)}
"""The service died between handing the alert over and hearing that an address took it."""


def test_what_may_have_been_told_before_a_start_is_told_while_it_stands_and_its_end_too() -> None:
    service = Service(dict(UNSURE))
    assert service.live(2 * SETTLING, wrong("b1")) == [BEGUN]
    assert service.live(2 * SETTLING) == [OVER]


def test_the_end_of_what_may_have_been_told_is_told_although_it_was_never_seen_again() -> None:
    service = Service(dict(UNSURE))
    assert service.live(SETTLING) == []
    assert service.live(GATHER + 2) == [OVER]
    assert service.live(2 * SETTLING) == []
