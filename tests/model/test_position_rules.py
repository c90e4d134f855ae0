"""A position is what was bought, less what was sold, less fees in base: to the last digit."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.model.order import Fill, Side
from execsvc.model.position import Position

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
LATER = datetime(2026, 1, 2, tzinfo=timezone.utc)


def fill(filled: str, price: str | None = "100", base_fee: str | None = "0") -> Fill:
    return Fill(
        filled=Decimal(filled),
        average=None if price is None else Decimal(price),
        base_fee=None if base_fee is None else Decimal(base_fee),
    )


AMOUNTS = st.decimals("0", "1e6", places=10, allow_nan=False)
PARTS = st.decimals("0", "0.01", places=4)


@given(st.lists(st.tuples(st.booleans(), AMOUNTS, PARTS, PARTS), max_size=30))
def test_it_equals_bought_minus_sold_minus_fees(
    steps: list[tuple[bool, Decimal, Decimal, Decimal]],
) -> None:
    position, bought, sold, fees = Position(), Decimal(0), Decimal(0), Decimal(0)
    for buys, amount, fee_part, part in steps:
        filled = amount if buys else position.tracked * (1 - part)
        fee = (filled * fee_part if buys else Decimal(0)).quantize(Decimal("1e-10"))
        filled = filled.quantize(Decimal("1e-10"), rounding="ROUND_DOWN")
        side = Side.BUY if buys else Side.SELL
        position = position.after(side, Fill(filled=filled, base_fee=fee), AT)
        bought += filled if buys else 0
        sold += 0 if buys else filled
        fees += fee
    assert position.tracked == bought - sold - fees
    assert position.is_flat == (position.tracked == 0)


def test_a_position_opens_grows_and_closes() -> None:
    opened = Position().after(Side.BUY, fill("2", "100", "0.002"), AT)
    assert opened == Position(tracked=Decimal("1.998"), entry_price=Decimal(100), opened_at=AT)
    assert opened.side == "BUY"
    grown = opened.after(Side.BUY, fill("1.998", "200"), LATER)
    assert (grown.tracked, grown.entry_price, grown.opened_at) == (Decimal("3.996"), 150, AT)
    part = grown.after(Side.SELL, fill("1", "300"), LATER)
    assert (part.tracked, part.entry_price, part.opened_at) == (Decimal("2.996"), 150, AT)
    closed = part.after(Side.SELL, fill("2.996", "300"), LATER)
    assert closed == Position()
    assert closed.side is None


def test_nothing_filled_changes_nothing() -> None:
    held = Position().after(Side.BUY, fill("2"), AT)
    assert held.after(Side.BUY, fill("0"), LATER) == held
    assert held.after(Side.SELL, fill("0"), LATER) == held
    assert Position().after(Side.BUY, fill("0"), AT) == Position()


def test_it_is_never_negative() -> None:
    held = Position().after(Side.BUY, fill("1"), AT)
    assert held.after(Side.SELL, fill("2"), AT).tracked == 0
    assert held.without(Decimal(2)) == Position()


def test_dust_is_flat_and_goes_with_the_next_position() -> None:
    dust = Position(tracked=Decimal("0.001"), entry_price=Decimal(50), opened_at=AT, dust=True)
    assert dust.is_flat
    assert dust.side is None
    bought = dust.after(Side.BUY, fill("1", "100"), LATER)
    assert (bought.tracked, bought.entry_price, bought.opened_at) == (Decimal("1.001"), 100, LATER)
    assert bought.side == "BUY"


def test_what_is_sold_short_is_kept_beside() -> None:
    short = Position(sold_short=Decimal("0.5"))
    assert short.is_flat
    assert short.side == "SELL"
    both = short.after(Side.BUY, fill("1"), AT)
    assert both.sold_short == Decimal("0.5")
    assert both.after(Side.SELL, fill("1"), AT) == short


def test_coins_that_are_gone_are_booked() -> None:
    held = Position().after(Side.BUY, fill("2"), AT)
    assert held.without(Decimal("0.5")).tracked == Decimal("1.5")
    assert held.without(Decimal("0.5")).opened_at == AT


@pytest.mark.parametrize(("change", "tracked"), [("0.1", "2.1"), ("-0.1", "1.9"), ("-5", "0")])
def test_a_booking_is_corrected(change: str, tracked: str) -> None:
    held = Position().after(Side.BUY, fill("2"), AT)
    assert held.corrected(Decimal(change)).tracked == Decimal(tracked)


def test_an_open_fee_tracks_the_cautious_end_until_it_is_corrected() -> None:
    held = Position().after(Side.BUY, fill("1", base_fee=None), AT)
    assert held.tracked == Decimal("0.99")
    assert held.corrected(Decimal("0.009")).tracked == Decimal("0.999")


def test_corrected_position_that_its_correction_opens_has_a_price_and_a_time() -> None:
    opened = Position().corrected(Decimal(2), price=Decimal(100), at=AT)
    assert (opened.tracked, opened.entry_price, opened.opened_at) == (2, 100, AT)
    short = Position().corrected(Decimal(-2), short=True, price=Decimal(100), at=AT)
    assert (short.sold_short, short.entry_price, short.opened_at) == (2, 100, AT)
    held = Position().after(Side.BUY, fill("1", "90"), AT)
    assert held.corrected(Decimal(1), price=Decimal(100), at=LATER).entry_price == 90
    assert held.corrected(Decimal(-1), price=Decimal(100), at=LATER) == Position()


def test_a_fill_without_a_price_leaves_the_entry_price_alone() -> None:
    held = Position().after(Side.BUY, fill("1", "100"), AT)
    assert held.after(Side.BUY, fill("1", None), AT).entry_price == 100
    unknown = Position().after(Side.BUY, fill("1", None), AT)
    assert unknown.entry_price is None
    assert unknown.after(Side.BUY, fill("1", "100"), AT).entry_price == 100


def test_the_users_own_base_is_sold_and_bought_back_beside_what_is_tracked() -> None:
    dust = Position(tracked=Decimal("0.001"), dust=True)
    sold = dust.after(Side.SELL, fill("2", "100"), AT, short=True)
    assert (sold.side, sold.sold_short, sold.tracked) == ("SELL", 2, Decimal("0.001"))
    assert (sold.entry_price, sold.opened_at) == (100, AT)

    part = sold.after(Side.BUY, fill("0.5", "90"), LATER, short=True)
    assert (part.sold_short, part.entry_price) == (Decimal("1.5"), 100)
    back = part.after(Side.BUY, fill("1.5", "90"), LATER, short=True)
    assert (back.side, back.sold_short, back.entry_price) == (None, 0, None)
    assert back.tracked == Decimal("0.001")


def test_a_fee_in_base_is_a_cost_of_buying_back() -> None:
    sold = Position().after(Side.SELL, fill("2", "100"), AT, short=True)
    paid = Fill(filled=Decimal(2), average=Decimal(90), base_fee=Decimal("0.002"))
    assert sold.after(Side.BUY, paid, LATER, short=True).sold_short == 0


def test_a_booked_sale_of_the_users_own_base_is_corrected() -> None:
    sold = Position().after(Side.SELL, fill("2", "100"), AT, short=True)
    assert sold.corrected(Decimal("0.5"), short=True).sold_short == Decimal("1.5")
    assert sold.corrected(Decimal(2), short=True).side is None
