from __future__ import annotations

from decimal import Decimal

import pytest

from execsvc.model.market import Depth, Level, Limits
from execsvc.model.order import Side
from execsvc.paper.terms import Fault, FeeAsset, NotTaken, Terms
from execsvc.paper.trading import MarketOrder, fill_on_book, trade

DEPTH = Depth(
    symbol="BTC/USDT",
    bids=(Level(Decimal(49_990), Decimal(1)),),
    asks=(Level(Decimal(50_000), Decimal(1)),),
)
LIMITS = Limits(min_notional=Decimal(5), min_amount=Decimal("0.00001"))
TERMS = Terms(LIMITS)
MUCH = Decimal(1_000_000)


def test_the_fee_of_a_buy_is_taken_in_base() -> None:
    fill = fill_on_book(DEPTH, Side.BUY, Decimal("0.02"))
    assert fill.filled == Decimal("0.02")
    assert fill.cost == Decimal(1000)
    assert fill.average == Decimal(50_000)
    assert (fill.base_fee, fill.quote_fee) == (Decimal("0.00002"), 0)


def test_the_fee_of_a_sell_is_taken_in_quote() -> None:
    fill = fill_on_book(DEPTH, Side.SELL, Decimal("0.02"))
    assert (fill.base_fee, fill.quote_fee) == (0, Decimal("0.9998"))


def test_the_fee_can_always_be_taken_in_quote() -> None:
    fill = fill_on_book(DEPTH, Side.BUY, Decimal("0.02"), Decimal("0.002"), FeeAsset.QUOTE)
    assert (fill.base_fee, fill.quote_fee) == (0, Decimal(2))


def test_fractions_of_the_eighth_decimal_are_not_charged() -> None:
    assert fill_on_book(DEPTH, Side.BUY, Decimal("0.00019999")).base_fee == Decimal("0.00000019")


def test_a_buy_pays_from_quote_and_brings_base_less_its_fee() -> None:
    traded = trade(DEPTH, TERMS, Decimal(1), Decimal(1000), MarketOrder(Side.BUY, Decimal("0.02")))
    assert (traded.free_base, traded.free_quote) == (Decimal("1.01998"), 0)


def test_a_sell_takes_base_and_brings_quote_less_its_fee() -> None:
    traded = trade(
        DEPTH, TERMS, Decimal("0.02"), Decimal(0), MarketOrder(Side.SELL, Decimal("0.02"))
    )
    assert (traded.free_base, traded.free_quote) == (0, Decimal("998.8002"))


def test_a_thin_book_fills_partly() -> None:
    traded = trade(DEPTH, TERMS, Decimal(0), MUCH, MarketOrder(Side.BUY, Decimal(3)))
    assert traded.fill.filled == 1
    assert traded.free_base == Decimal("0.999")


def test_an_order_can_be_filled_in_part() -> None:
    traded = trade(
        DEPTH, TERMS, Decimal(0), MUCH, MarketOrder(Side.BUY, Decimal("0.1"), Decimal("0.00001"))
    )
    assert traded.fill.filled == Decimal("0.00001")


def test_an_order_can_be_filled_not_at_all() -> None:
    traded = trade(
        DEPTH, TERMS, Decimal(0), MUCH, MarketOrder(Side.BUY, Decimal("0.1"), Decimal(0))
    )
    assert (traded.fill.filled, traded.fill.average) == (0, None)
    assert (traded.free_base, traded.free_quote) == (0, MUCH)


@pytest.mark.parametrize(
    ("side", "amount", "fault", "words"),
    [
        (Side.BUY, "0.000123", Fault.STEP, "LOT_SIZE"),
        (Side.BUY, "0.000001", Fault.STEP, "LOT_SIZE"),
        (Side.BUY, "0", Fault.STEP, "LOT_SIZE"),
        (Side.BUY, "0.00009", Fault.WORTH_TOO_SMALL, "NOTIONAL"),
        (Side.SELL, "0.0001", Fault.WORTH_TOO_SMALL, "NOTIONAL"),
        (Side.BUY, "0.02001", Fault.BALANCE, "insufficient balance"),
        (Side.SELL, "0.50001", Fault.BALANCE, "insufficient balance"),
    ],
)
def test_what_cannot_be_is_refused_in_the_words_of_an_exchange(
    side: Side, amount: str, fault: Fault, words: str
) -> None:
    with pytest.raises(NotTaken, match=words) as raised:
        trade(DEPTH, TERMS, Decimal("0.5"), Decimal(1000), MarketOrder(side, Decimal(amount)))
    assert raised.value.fault is fault


@pytest.mark.parametrize(
    ("terms", "taken", "refused", "fault", "words"),
    [
        ({"max_amount": "0.01"}, "0.01", "0.01001", Fault.AMOUNT_TOO_LARGE, "MARKET_LOT_SIZE"),
        ({"max_notional": "500"}, "0.01", "0.01001", Fault.WORTH_TOO_LARGE, "NOTIONAL"),
    ],
)
def test_order_above_a_maximum_is_refused(
    terms: dict[str, str], taken: str, refused: str, fault: Fault, words: str
) -> None:
    limited = TERMS._replace(**{name: Decimal(value) for name, value in terms.items()})
    assert trade(
        DEPTH, limited, MUCH, MUCH, MarketOrder(Side.BUY, Decimal(taken))
    ).fill.filled == Decimal(taken)
    with pytest.raises(NotTaken, match=words) as raised:
        trade(DEPTH, limited, MUCH, MUCH, MarketOrder(Side.BUY, Decimal(refused)))
    assert raised.value.fault is fault


def test_the_smallest_order_is_taken() -> None:
    assert trade(DEPTH, TERMS, MUCH, MUCH, MarketOrder(Side.BUY, Decimal("0.0001"))).fill.cost == 5


def test_a_coarser_step_than_the_limits_tell() -> None:
    coarse = TERMS._replace(decimals=3)
    with pytest.raises(NotTaken, match="LOT_SIZE"):
        trade(DEPTH, coarse, MUCH, MUCH, MarketOrder(Side.BUY, Decimal("0.0012")))
    assert trade(DEPTH, coarse, MUCH, MUCH, MarketOrder(Side.BUY, Decimal("0.001"))).fill.filled


def test_a_fee_in_quote_has_to_be_paid_for_too() -> None:
    in_quote = TERMS._replace(fee_asset=FeeAsset.QUOTE)
    with pytest.raises(NotTaken, match="insufficient"):
        trade(DEPTH, in_quote, Decimal(0), Decimal(1000), MarketOrder(Side.BUY, Decimal("0.02")))


def test_the_whole_order_has_to_be_affordable_even_if_a_part_is_filled() -> None:
    with pytest.raises(NotTaken, match="insufficient"):
        trade(
            DEPTH,
            TERMS,
            Decimal(0),
            Decimal(600),
            MarketOrder(Side.BUY, Decimal("0.02"), Decimal("0.01")),
        )
