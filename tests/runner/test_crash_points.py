"""A process that stops dead at any point of an order or a stop has a successor that comes right.

A scenario's points are shared out among several tests, for workers to run them side by side. Each
test has a sandbox of its own: hundreds of bots on one sandbox wait for its answers, not for theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.bot_process import BotProcesses
from support.exchange import Exchange
from support.lives import CENT, PRICE, RECEIVE_WINDOW, Point, lead
from support.sandbox_process import sandbox_process

from execsvc.failpoints import Failpoint

NO_FEE = "executed without a reported fee"
HALF = "half executed, said 500"
UNREPORTED = Decimal("1.01")
"""Quote: the fee of the sale, which no answer states."""
SCENARIOS: dict[str, dict[str, Any] | None] = {
    "every order answered": None,
    "executed, said 500, shown late": {
        "kind": "status",
        "status": 500,
        "execute": True,
        "lag": 0.5,
    },
    NO_FEE: {"kind": "no_fee", "lag": 0.3},
    HALF: {
        "kind": "status",
        "status": 500,
        "execute": True,
        "fraction": "0.5",
    },
}
PARTS = dict.fromkeys(SCENARIOS, 2) | {HALF: 6}
"""Tests that share the points of a scenario: so many that each leads some forty lives at most."""


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """A sandbox in a process of its own."""
    with sandbox_process() as url:
        seen = Exchange(url)
        seen.market(price=str(PRICE))
        seen.receive_window(RECEIVE_WINDOW)
        yield seen


@pytest.fixture
def bots(exchange: Exchange, tmp_path: Path) -> Iterator[BotProcesses]:
    """Bots' processes against it."""
    made = BotProcesses(exchange.url, tmp_path)
    yield made
    made.close()


def points_of_part(trace: list[str], part: int, parts: int) -> list[Point | None]:
    """Every ``parts``-th pass of each failpoint in ``trace``, beginning with pass ``part`` + 1.

    Which part a pass belongs to depends on its number alone: another run of the same scenario may
    pass one failpoint more often, and still no pass is in two parts or in none.
    """
    passes = Counter(trace)
    return [(name, n) for name in passes for n in range(part + 1, passes[name] + 1, parts)]


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("scenario", "part"),
    [(scenario, part) for scenario, parts in PARTS.items() for part in range(parts)],
)
def test_a_death_at_every_point(
    bots: BotProcesses, exchange: Exchange, tmp_path: Path, scenario: str, part: int
) -> None:
    rule = SCENARIOS[scenario]
    if rule is not None:
        exchange.fault(call="order", times=None, **rule)
    slack = UNREPORTED if scenario == NO_FEE else CENT
    (alive,) = lead(bots, exchange, tmp_path, [None], slack)
    unseen = set(Failpoint.__members__) - set(alive.trace)
    if rule is None:
        unseen.discard(Failpoint.SETTLING.name)
    assert not unseen, f"no process passes {unseen}: extend the scenarios"
    points = points_of_part(alive.trace, part, PARTS[scenario])
    lives = lead(bots, exchange, tmp_path, points, slack)
    # A later pass may be missing in a life where balances had to be read less often.
    missed = [life.name for life in lives if not life.died and life.at and life.at[1] == 1]
    assert not missed, f"no process died at {missed}"
    assert any(life.died for life in lives)


def test_points_of_part_all_parts_together_have_each_pass_once() -> None:
    trace = ["A", "B", "A", "A", "B", "A", "C", "A"]
    for parts in (1, 2, 3, 9):
        shared_out = [point for n in range(parts) for point in points_of_part(trace, n, parts)]
        assert sorted(shared_out) == sorted(
            [("A", n) for n in range(1, 6)] + [("B", 1), ("B", 2), ("C", 1)]
        )
