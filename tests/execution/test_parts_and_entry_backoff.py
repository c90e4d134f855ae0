"""An order in parts, the wait of entries, and whether an entry can be sold again."""

from __future__ import annotations

from decimal import Decimal

import pytest

from execsvc.errors import OrderRefused
from execsvc.execution.guards import entry_backoff
from execsvc.execution.parts import Parts, Placed
from execsvc.execution.sizes.known_sizes import KnownSizes
from execsvc.execution.sizing import refuse_unsellable_entry
from execsvc.model.market import Limits
from execsvc.model.order import Fill

D = Decimal


def filled(quantity: str) -> Fill:
    amount = D(quantity)
    return Fill(filled=amount, average=D(10), cost=amount * 10, quote_fee=D("0.01"))


def test_parts_go_on_until_all_of_it_is_filled() -> None:
    parts = Parts(D(1))
    assert parts.is_empty
    for quantity, left in (("0.3", "0.7"), ("0.3", "0.4"), ("0.3", "0.1"), ("0.1", "0")):
        assert parts.goes_on
        parts.add(Placed(filled(quantity), D(quantity), parts.left))
        assert parts.left == D(left)
    assert not parts.goes_on
    fill = parts.fill
    assert (fill.filled, fill.cost, fill.average) == (1, 10, 10)
    assert (fill.base_fee, fill.quote_fee) == (0, D("0.04"))


def test_parts_end_with_a_part_that_was_not_filled_as_ordered() -> None:
    parts = Parts(D(1))
    parts.add(Placed(filled("0.1"), D("0.3"), D(1)))
    assert not parts.goes_on
    assert parts.fill.filled == D("0.1")


def test_parts_know_no_fee_where_one_part_has_none() -> None:
    parts = Parts(D("0.5"))
    for fill in (Fill(filled=D("0.3"), base_fee=None), Fill(filled=D("0.2"))):
        parts.add(Placed(fill, fill.filled, parts.left))
    fill = parts.fill
    assert (fill.filled, fill.base_fee, fill.cost, fill.average) == (D("0.5"), None, None, None)


def test_delay_doubles_from_the_third_to_five_minutes() -> None:
    delays = [entry_backoff.delay(count) for count in range(14)]
    assert delays == [0, 0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300]


@pytest.mark.parametrize(("passed", "left"), [(0.0, 10.0), (4.0, 6.0), (10.0, 0.0), (99.0, 0.0)])
def test_left_is_the_rest_of_the_wait(passed: float, left: float) -> None:
    assert entry_backoff.left(4, passed) == left


def refused(
    amount: str,
    limits: Limits,
    *,
    held: str = "0",
    fee: str | None = None,
    known: KnownSizes | None = None,
) -> str | None:
    rate = None if fee is None else D(fee)
    try:
        refuse_unsellable_entry(D(amount), D(held), rate, limits, D(100), known or KnownSizes())
    except OrderRefused as refusal:
        return str(refusal)
    return None


def test_entry_that_its_fee_makes_too_small_to_sell_is_refused() -> None:
    """Ten quote bought at a minimum of ten leave 9.99."""
    why = refused("0.1", Limits(min_notional=D(10), min_amount=D("0.00001")), fee="0.001")
    assert why is not None
    assert "no entry of 0.1: the 0.0999 left" in why
    assert "2 % lower" in why
    assert "10 in worth" in why


@pytest.mark.parametrize(
    ("amount", "held", "fee", "is_refused"),
    [
        ("0.10203", "0", "0", True),  # worth 9.99894 after the fall
        ("0.10205", "0", "0", False),
        ("0.10205", "0", None, True),  # of an unknown fee
        ("0.10226", "0", None, False),
        ("0.05", "0.06", None, False),  # sold along with what is there
    ],
)
def test_entry_needs_a_way_out_after_fee_and_fall(
    amount: str, held: str, fee: str | None, is_refused: bool
) -> None:
    limits = Limits(min_notional=D(10), min_amount=D("0.00001"))
    assert (refused(amount, limits, held=held, fee=fee) is not None) is is_refused


def test_entry_needs_a_whole_step_after_its_fee() -> None:
    assert refused("1", Limits(min_amount=D(1))) is not None
    assert refused("1.1", Limits(min_amount=D(1))) is None
    assert refused("0.01", Limits(), known=KnownSizes(decimals=2)) is not None
    assert refused("0.011", Limits(), known=KnownSizes(decimals=2)) is None
