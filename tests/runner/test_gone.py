"""Coins that are missing from the account: noticed, waited for, given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from execsvc.ledger import survey
from execsvc.ledger.bot_ledger import BotLedger
from execsvc.model.bot import Binding, Mode
from execsvc.model.position import Position
from execsvc.runner import gone
from execsvc.runner.gone import GoneCoins
from execsvc.runner.record import Record

D = Decimal
BINDING = Binding(mode=Mode.LIVE, key_id="k1", symbol="BTC/USDT", strategy="test_trading_v1")
HELD = Position(tracked=D("0.02"), opened_at=datetime(2026, 1, 1, tzinfo=timezone.utc))


class Bench:
    """A position of 0.02, and a clock in hand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.now = datetime(2026, 1, 1, tzinfo=timezone.utc)
        monkeypatch.setattr(gone, "now", lambda: self.now)
        self.ledger = BotLedger(folder, "b1")
        self.ledger.open()
        self.ledger.keep_position(BINDING, HELD)
        self.gone = GoneCoins(self.ledger, BINDING, Record("b1", self.ledger), 600)

    def after(self, seconds: float, held: str, released: bool = False) -> Decimal:
        """What is tracked after a look, so many seconds after the last one."""
        self.now += timedelta(seconds=seconds)
        position = self.ledger.position(BINDING)
        return self.gone.observe(position, D(held), released).tracked

    def said(self, event: str) -> int:
        return [row.event for row in survey.read_log(self.folder, "b1")].count(event)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(tmp_path, monkeypatch)
    yield made
    made.ledger.close()


@pytest.mark.says("coins_missing", "coins_gone")
def test_what_stays_missing_is_booked_as_gone(bench: Bench) -> None:
    assert bench.after(0, "0.015") == D("0.02")
    assert bench.after(599, "0.012") == D("0.02")
    assert bench.after(1, "0.012") == D("0.012")
    assert bench.ledger.position(BINDING).tracked == D("0.012")
    assert (bench.said("coins_missing"), bench.said("coins_gone")) == (1, 1)
    assert bench.ledger.gap_since(BINDING) is None


def test_one_look_that_shows_them_begins_anew(bench: Bench) -> None:
    bench.after(0, "0")
    bench.after(599, "0.02")
    assert bench.after(1, "0") == D("0.02")
    assert bench.after(599, "0") == D("0.02")
    assert bench.after(1, "0") == 0


def test_a_buy_that_sees_them_counts_as_a_look(bench: Bench) -> None:
    bench.after(0, "0")
    assert bench.gone.clear_if_held(HELD, D("0.5"))
    assert bench.after(700, "0") == D("0.02")


def test_an_operators_word_books_at_once(bench: Bench) -> None:
    assert bench.after(0, "0.015", released=True) == D("0.015")


def test_an_operators_word_books_nothing_that_is_there(bench: Bench) -> None:
    assert bench.after(0, "0.02", released=True) == D("0.02")
    assert bench.said("coins_gone") == 0


def test_what_a_float_lost_is_not_missing(bench: Bench) -> None:
    assert bench.after(0, "0.019999999999999999", released=True) == D("0.02")
    assert bench.said("coins_missing") == 0


def test_a_clock_that_is_set_back_begins_anew(bench: Bench) -> None:
    bench.after(0, "0")
    bench.after(-86400, "0")
    assert bench.after(599, "0") == D("0.02")
    assert bench.after(1, "0") == 0
