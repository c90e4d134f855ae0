"""Liquidation on markets of any step, minimum and maximum, whatever the exchange publishes of them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from loguru import logger
from support.memory_market import NOON, MemoryBot, MemoryExchange

from execsvc.clock import SimulatedClock, installed
from execsvc.errors import OrderRefused
from execsvc.model.market import Limits, round_down
from execsvc.model.order import Purpose
from execsvc.paper.terms import Terms
from execsvc.sandbox.dialects import Dialect

D = Decimal
USER_OWNS = D(1000)
FEW = 14
"""Refusals that a liquidation may meet until it knows a market."""
MOST_PARTS = 60


@pytest.fixture(scope="module", autouse=True)
def _silent() -> Iterator[None]:
    """Thousands of lines of orders would be all that a failure shows."""
    logger.disable("execsvc")
    yield
    logger.enable("execsvc")


class Case(NamedTuple):
    """A market, what is published of it, and what the bot holds."""

    tracked: Decimal
    price: Decimal
    terms: Terms
    published: Limits
    dialect: Dialect


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Positions that an order of the market can have bought, with a fee or rest of any decimals."""
    decimals = draw(st.integers(0, 6))
    step = D(1).scaleb(-decimals)
    smallest = step * draw(st.sampled_from([1, 1, 2, 5, 20]))
    price = D(draw(st.integers(1, 10**7))).scaleb(-2)
    units = draw(st.integers(6, 5000))
    bought = smallest * units
    tracked = round_down(bought * D("0.999"), draw(st.sampled_from([decimals, 8])))
    notional = draw(st.sampled_from([D(0), smallest * price / 2, bought * price / 20]))
    largest = draw(st.one_of(st.none(), st.integers(units // MOST_PARTS + 4, units)))
    worth = draw(st.one_of(st.none(), st.just(bought * price * D("0.7"))))
    limits = Limits(min_amount=smallest, min_notional=notional)
    terms = Terms(
        limits=limits,
        decimals=decimals,
        max_amount=None if largest is None else smallest * largest,
        max_notional=worth,
    )
    below_step = Limits(min_amount=step / 1000, min_notional=notional)
    published = draw(st.sampled_from([limits, Limits(), below_step]))
    assume(notional == 0 or largest is None or smallest * largest * price >= notional * 4)
    return Case(tracked, price, terms, published, draw(st.sampled_from(list(Dialect)[:-1])))


def sellable(case: Case, amount: Decimal) -> bool:
    """True when the exchange takes the rest of ``amount`` on its step."""
    on_step = amount.quantize(D(1).scaleb(-case.terms.step_decimals), rounding=ROUND_DOWN)
    return not case.terms.limits.refuses(on_step, case.price)


STEP_IN_OTHER_WORDS = Case(
    D(11),
    D("0.01"),
    Terms(limits=Limits(min_amount=D(2)), decimals=0, max_notional=D("0.084")),
    Limits(),
    Dialect.BINANCE_CODES,
)
"""A rest below an unpublished minimum, of which half is refused for its step and not for its size."""
MINIMUM_PARTLY_PUBLISHED = Case(
    D(11),
    D("0.01"),
    Terms(
        limits=Limits(min_amount=D(2), min_notional=D("0.01")), decimals=0, max_notional=D("0.084")
    ),
    Limits(min_amount=D("0.001"), min_notional=D("0.01")),
    Dialect.BINANCE,
)
"""A rest below an unpublished minimum, of which half is below a published one and never sent."""
REST_ON_A_COARSER_STEP = Case(
    D(119),
    D("0.01"),
    Terms(
        limits=Limits(min_amount=D(20), min_notional=D("0.1")),
        decimals=0,
        max_notional=D("0.84"),
    ),
    Limits(min_amount=D("0.001"), min_notional=D("0.1")),
    Dialect.BINANCE,
)
"""The same where the parts that were taken make the rest look too fine."""


@settings(max_examples=60)
@given(case=cases())
@example(case=STEP_IN_OTHER_WORDS)
@example(case=MINIMUM_PARTLY_PUBLISHED)
@example(case=REST_ON_A_COARSER_STEP)
def test_liquidation_of_any_market_ends_with_dust_and_touches_nothing_else(case: Case) -> None:
    clock = SimulatedClock(NOON, 1000.0)
    with installed(clock):
        balances = {"BTC": USER_OWNS + case.tracked, "USDT": D(0)}
        exchange = MemoryExchange(
            clock, case.price, case.terms, case.published, case.dialect, balances
        )
        bot = MemoryBot(exchange)
        bot.hold(case.tracked)
        closed = bot.liquidate()
        left = bot.position.tracked
        assert closed, f"{exchange.sent}, {exchange.refused} refused, {left} left"
        assert exchange.account.free("BTC") == USER_OWNS + left
        assert not sellable(case, left), f"{left} left, {exchange.refused} refused"
        assert len(exchange.refused) <= FEW, exchange.refused
        assert len(exchange.sent) <= len(exchange.refused) + 3 * MOST_PARTS


@settings(max_examples=20)
@given(case=cases(), ratio=st.sampled_from(["0.3", "0.9", "1"]))
def test_round_trips_on_any_market_settle_down(case: Case, ratio: str) -> None:
    """A bot that goes on trading meets no refusal but of what is left, once it knows the market."""
    clock = SimulatedClock(NOON, 1000.0)
    with installed(clock):
        quote = case.tracked * case.price * 2
        exchange = MemoryExchange(
            clock,
            case.price,
            case.terms,
            case.published,
            case.dialect,
            {"BTC": USER_OWNS, "USDT": quote},
        )
        bot = MemoryBot(exchange)
        bought = D(0)
        for _ in range(8):
            clock.advance(600)
            try:
                bought = bot.order(Purpose.ENTRY, case.tracked * D(ratio)).filled
            except OrderRefused:
                bought = D(0)
            assert bot.liquidate()
            assert exchange.account.free("BTC") == USER_OWNS + bot.position.tracked
        exchange.refused.clear()
        before = bot.position.tracked
        if bought:
            bot.order(Purpose.ENTRY, case.tracked * D(ratio))
        assert bot.liquidate()
        assert len(exchange.refused) <= 4, (before, exchange.refused)
