"""Coins that are missing from the account: noticed, waited for, given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.clocks import HOUR, SetClock
from support.store_files import change
from support.stores import store_in

from execsvc.clock import installed
from execsvc.execution.gone import GoneCoins
from execsvc.execution.ports import ExecutionSettings
from execsvc.model.bot import Binding, Mode
from execsvc.model.position import Position
from execsvc.runner.record import Record

D = Decimal
BINDING = Binding(mode=Mode.LIVE, key_id="k1", symbol="BTC/USDT", strategy="test_trading_v1")
HELD = Position(tracked=D("0.02"), opened_at=datetime(2026, 1, 1, tzinfo=timezone.utc))


class Bench:
    """A position of 0.02, and a clock in hand."""

    def __init__(self, folder: Path, clock: SetClock) -> None:
        self.folder = folder
        self.clock = clock
        self.ledger = store_in(folder).bot("b1")
        self.ledger.open()
        self.ledger.keep_position(BINDING, HELD)
        services: Any = SimpleNamespace(
            ledger=self.ledger,
            record=Record("b1", self.ledger),
            settings=ExecutionSettings(gone_after=600),
        )
        self.gone = GoneCoins(services, BINDING)

    def after(self, seconds: float, held: str, released: bool = False) -> Decimal:
        """The tracked quantity after a read of the balance, so many seconds after the last one."""
        self.clock.advance(seconds)
        position = self.ledger.position(BINDING)
        return self.gone.observe(position, D(held), released).tracked

    def missed(self, seconds: float, every: float = 60.0) -> Decimal:
        """The tracked quantity after reads for so long, all of which show none of it."""
        while seconds > 0:
            tracked = self.after(min(every, seconds), "0")
            seconds -= every
        return tracked

    def with_fees(self, held: str, fees: str) -> Decimal:
        """The tracked quantity after a read, with so much paid as fees in this coin."""
        position = self.ledger.position(BINDING)
        return self.gone.observe(position, D(held), False, D(fees)).tracked

    def said(self, event: str) -> int:
        return [row.event for row in store_in(self.folder).read_log("b1")].count(event)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = SetClock(datetime(2026, 1, 1, tzinfo=timezone.utc))
    with installed(clock):
        made = Bench(tmp_path, clock)
        yield made
        made.ledger.close()


@pytest.mark.says("coins_missing", "coins_gone")
def test_what_stays_missing_is_booked_as_gone(bench: Bench) -> None:
    assert bench.after(0, "0.015") == D("0.02")
    assert bench.missed(599) == D("0.02")
    assert bench.after(1, "0.012") == D("0.012")
    assert bench.ledger.position(BINDING).tracked == D("0.012")
    assert (bench.said("coins_missing"), bench.said("coins_gone")) == (1, 1)
    assert bench.ledger.missing(BINDING) is None


def test_one_look_that_shows_them_begins_anew(bench: Bench) -> None:
    bench.after(0, "0")
    bench.missed(540)
    bench.after(59, "0.02")
    assert bench.after(1, "0") == D("0.02")
    assert bench.missed(599) == D("0.02")
    assert bench.after(1, "0") == 0


def test_a_buy_that_sees_them_counts_as_a_look(bench: Bench) -> None:
    bench.after(0, "0")
    assert bench.gone.clear_if_held(HELD, D("0.5"))
    assert bench.after(60, "0") == D("0.02")
    assert bench.missed(599) == D("0.02")


def test_an_operators_word_books_at_once(bench: Bench) -> None:
    assert bench.after(0, "0.015", released=True) == D("0.015")


def test_an_operators_word_books_nothing_that_is_there(bench: Bench) -> None:
    assert bench.after(0, "0.02", released=True) == D("0.02")
    assert bench.said("coins_gone") == 0


def test_what_a_float_lost_is_not_missing(bench: Bench) -> None:
    assert bench.after(0, "0.019999999999999999", released=True) == D("0.02")
    assert bench.said("coins_missing") == 0


@pytest.mark.parametrize("step", [-24 * HOUR, HOUR])
def test_observe_clock_is_set_counts_what_has_passed(bench: Bench, step: float) -> None:
    bench.after(0, "0")
    bench.clock.set_by(step)
    assert bench.missed(599) == D("0.02")
    assert bench.after(1, "0") == 0


def test_observe_reads_too_far_apart_do_not_count_as_looked_for(bench: Bench) -> None:
    """The machine was suspended, or the account could not be read: the coins may have been there."""
    bench.after(0, "0")
    assert bench.after(10 * HOUR, "0") == D("0.02")
    assert bench.missed(2000, every=60.1) == D("0.02")
    assert bench.missed(600) == 0


@pytest.mark.parametrize(("step", "counts"), [(0, True), (-HOUR, False), (HOUR, False)])
def test_observe_in_another_boot_goes_by_the_wall_clocks(
    bench: Bench, step: float, counts: bool
) -> None:
    bench.after(0, "0")
    bench.missed(580)
    bench.clock.reboot()
    bench.clock.set_by(step)
    assert bench.after(20, "0") == (0 if counts else D("0.02"))


def test_observe_gap_of_an_older_service_begins_to_count(bench: Bench) -> None:
    bench.after(0, "0")
    for table in ("missing", "moment"):
        change(bench.ledger, f"DELETE FROM {table}")
    bench.clock.advance(HOUR)
    assert bench.missed(600) == D("0.02")
    assert bench.after(60, "0") == 0
    assert bench.said("coins_missing") == 1


@pytest.mark.parametrize(
    ("held", "fees", "booked"),
    [
        ("0.0198", "0", True),
        ("0.01979", "0", False),
        ("0.01979", "0.00021", True),
        ("0.01979", "0.0002", False),
        ("0", "0.02", True),
    ],
)
def test_observe_gap_that_fees_explain_is_booked_at_once(
    bench: Bench, held: str, fees: str, booked: bool
) -> None:
    assert bench.with_fees(held, fees) == (D(held) if booked else D("0.02"))
    events = ("fees_booked", "coins_missing", "coins_gone")
    assert [bench.said(event) for event in events] == ([1, 0, 0] if booked else [0, 1, 0])
