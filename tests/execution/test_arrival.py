"""The fee and the price of a fill by a balance, where its answer left them open."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from support.ledger_samples import intent

from execsvc.execution.settlement.arrival import Reference, arrived, cautious
from execsvc.execution.settlement.decision import base_noise
from execsvc.model.order import LARGEST_BASE_FEE, Fill, Side

D = Decimal
MARKET = Reference(D(50000), "the book after it")
sides = st.sampled_from(list(Side))
changes = st.decimals(-1, 1, places=6)
parts = st.decimals("0.00001", "0.02", places=5)
fees = st.one_of(st.none(), st.just(D(0)), st.just(D("0.00002")))
averages = st.one_of(st.none(), st.just(D(50000)))


@given(sides, parts, fees, averages, changes, st.decimals(-2000, 2000, places=2))
def test_arrived_books_exactly_what_moved_or_nothing(
    side: Side,
    filled: Decimal,
    fee: Decimal | None,
    average: Decimal | None,
    moved: Decimal,
    paid: Decimal,
) -> None:
    order = intent(1, side)
    fill = Fill(filled=filled, base_fee=fee, average=average)
    base = max(order.baseline_base + moved, D(0))
    found = arrived(order, fill, base, order.baseline_quote - paid, MARKET)
    if found is None:
        return
    assert found.base_fee is not None
    assert 0 <= found.base_fee <= filled * LARGEST_BASE_FEE + max(base_noise(order), fee or 0)
    if fee is None:
        off = found.base_change(side) - (base - order.baseline_base)
        assert abs(off) <= base_noise(order)
    if order.opens:
        assert found.price is not None


@given(sides, parts, fees, averages)
def test_cautious_books_no_more_than_may_have_arrived(
    side: Side, filled: Decimal, fee: Decimal | None, average: Decimal | None
) -> None:
    order = intent(1, side)
    found = cautious(order, Fill(filled=filled, base_fee=fee, average=average), MARKET)
    assert found.base_fee == (filled * LARGEST_BASE_FEE if fee is None else fee)
    assert found.price is not None or not order.opens


@given(sides, parts, changes)
def test_arrived_every_true_move_is_recognised(side: Side, filled: Decimal, part: Decimal) -> None:
    order = intent(1, side)
    fee = filled * LARGEST_BASE_FEE * abs(part)
    base = order.baseline_base + side.sign * filled - fee
    quote = order.baseline_quote - side.sign * filled * 50000
    found = arrived(order, Fill(filled=filled, base_fee=None), base, quote, MARKET)
    assert found is not None
    assert abs(found.base_change(side) - (base - order.baseline_base)) <= base_noise(order)
