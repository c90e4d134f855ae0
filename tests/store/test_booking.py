"""A bot's ledger takes each outcome once, whatever is said twice or corrected."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ledger_samples import AT, BINDING, fill, order

from execsvc.model.order import OrderState, Side
from execsvc.model.position import Position
from execsvc.store.sqlite.bot.booking import book, contested_places
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.service import survey

D = Decimal


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[BotLedger]:
    opened = BotLedger(tmp_path, "b1")
    opened.open()
    opened.bind(BINDING, None)
    yield opened
    opened.close()


def test_a_buy_and_its_sale(ledger: BotLedger) -> None:
    held = book(ledger, BINDING, order(1, fee="0.00002"))
    assert (held.tracked, held.opened_at) == (D("0.01998"), AT)
    assert book(ledger, BINDING, order(2, Side.SELL, filled="0.01998")) == Position()
    assert ledger.position(BINDING) == Position()


def test_booking_twice_changes_nothing(ledger: BotLedger) -> None:
    first = book(ledger, BINDING, order(1))
    assert book(ledger, BINDING, order(1)) == first
    book(ledger, BINDING, order(2, Side.SELL, filled="0.005"))
    assert book(ledger, BINDING, order(1)).tracked == D("0.015")


@pytest.mark.parametrize(
    ("side", "booked", "decided", "tracked"),
    [
        (Side.BUY, "0", "0.02", "0.07"),
        (Side.BUY, "0.01", "0", "0.05"),
        (Side.BUY, "0.01", "0.01", "0.06"),
        (Side.SELL, "0.02", "0", "0.05"),
        (Side.SELL, "0.02", "0.005", "0.045"),
        (Side.SELL, "0.02", "0.02", "0.03"),
    ],
)
def test_an_operator_corrects_what_was_contested(
    ledger: BotLedger, side: Side, booked: str, decided: str, tracked: str
) -> None:
    ledger.keep_position(BINDING, Position(tracked=D("0.05"), opened_at=AT))
    book(ledger, BINDING, order(1, side, OrderState.CONTESTED, booked))
    assert contested_places(ledger.connection, BINDING.strategy) == [BINDING]
    state = OrderState.EXECUTED if D(decided) else OrderState.NOT_EXECUTED
    for _ in range(2):
        assert book(ledger, BINDING, order(1, side, state, decided)).tracked == D(tracked)
    assert contested_places(ledger.connection, BINDING.strategy) == []


def test_state_and_position_are_one_transaction(ledger: BotLedger) -> None:
    with pytest.raises(Exception, match=r"sqlite|bind|type|support"):
        book(ledger, BINDING, order(1), state=object())  # type: ignore[arg-type]
    assert ledger.position(BINDING) == Position()
    book(ledger, BINDING, order(1), state='{"loops":1}')
    assert ledger.state(BINDING.strategy) == '{"loops":1}'


def test_dust_is_sold_along_with_the_next_position(ledger: BotLedger) -> None:
    ledger.keep_position(BINDING, Position(tracked=D("0.00003"), dust=True))
    assert ledger.open_positions() == []
    held = book(ledger, BINDING, order(1))
    assert (held.tracked, held.dust, held.entry_price) == (D("0.02003"), False, D(50000))


numbers = st.decimals("0.000000000000000001", 10**15, places=18, allow_nan=False)


@given(st.lists(numbers, min_size=1, max_size=6))
def test_sums_are_right_to_the_last_digit(bought: list[Decimal]) -> None:
    position = Position()
    for amount in bought:
        position = position.after(Side.BUY, fill(f"{amount:f}", "0"), AT)
    assert units(position.tracked) == sum(units(amount) for amount in bought)


def units(amount: Decimal) -> int:
    """``amount`` in the smallest unit there is, without any context's rounding."""
    return int(f"{amount:.18f}".replace(".", ""))


def test_what_stands_there_is_read_without_the_lock(ledger: BotLedger, tmp_path: Path) -> None:
    book(ledger, BINDING, order(1))
    ledger.keep_failing(AT, None)
    state = survey.read(tmp_path, "b1")
    assert state is not None
    assert (state.bot_id, state.binding, state.position.tracked) == ("b1", BINDING, D("0.02"))
    assert state.is_open
    assert state.failing
    assert not state.unsettled
    assert survey.read(tmp_path, "nobody") is None


def test_an_open_position_elsewhere_is_what_is_told(ledger: BotLedger, tmp_path: Path) -> None:
    old = BINDING.model_copy(update={"symbol": "ETH/USDT"})
    ledger.keep_position(old, Position(tracked=D(1), opened_at=AT))
    state = survey.read(tmp_path, "b1")
    assert state is not None
    assert state.binding == old
