"""Sizes as a bot learns them, on an exchange in memory: entries, age, release, balance, shorts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from support.memory_market import BINDING, NOON, MemoryBot, MemoryExchange

from execsvc.clock import SimulatedClock, installed
from execsvc.errors import OrderRefused
from execsvc.model.market import Limits
from execsvc.model.order import Fill, Purpose
from execsvc.paper.terms import Terms
from execsvc.sandbox.dialects import Dialect

D = Decimal
LIMITS = Limits(min_notional=D(5), min_amount=D("0.00001"))
DAY = 86400.0


@pytest.fixture
def clock() -> Iterator[SimulatedClock]:
    made = SimulatedClock(NOON, 1000.0)
    with installed(made):
        yield made


def market(
    clock: SimulatedClock, dialect: Dialect = Dialect.BINANCE, **terms: Any
) -> MemoryExchange:
    """An exchange at 50000, where the user owns a BTC and 100000 USDT."""
    balances = {"BTC": D(1), "USDT": D(100_000)}
    exchange_terms = Terms(limits=LIMITS, **terms)
    return MemoryExchange(clock, D(50000), exchange_terms, LIMITS, dialect, balances)


def sent(exchange: MemoryExchange) -> list[str]:
    """The amounts sent since the last look."""
    seen = [f"{amount.normalize():f}" for amount in exchange.sent]
    exchange.sent.clear()
    return seen


def trip(bot: MemoryBot, wanted: str) -> list[str]:
    """One entry and its liquidation; the amounts of the entry's orders."""
    bot.order(Purpose.ENTRY, D(wanted))
    tried = sent(bot.exchange)
    assert bot.liquidate()
    sent(bot.exchange)
    return tried


def test_entries_approach_the_maximum_with_one_refusal_each_at_most(clock: SimulatedClock) -> None:
    bot = MemoryBot(market(clock, max_amount=D("0.0123")))
    tries = [trip(bot, "0.0172") for _ in range(8)]
    assert tries[0] == ["0.0172", "0.01"]
    assert all(len(each) <= 2 for each in tries)
    bought = [D(each[-1]) for each in tries]
    assert bought == sorted(bought)
    assert D("0.0112") < bought[-1] <= D("0.0123")
    assert tries[-1] == tries[-2], "close enough: no refusal any more"


@pytest.mark.parametrize(("days", "first"), [(6.99, "0.0136"), (7.01, "0.0172")])
def test_what_was_learnt_is_forgotten_after_a_week(
    clock: SimulatedClock, days: float, first: str
) -> None:
    bot = MemoryBot(market(clock, max_amount=D("0.01")))
    assert trip(bot, "0.0172") == ["0.0172", "0.01"]
    clock.advance(days * DAY)
    assert trip(bot, "0.0172")[0] == first


def test_what_was_learnt_survives_the_process_and_not_a_release(clock: SimulatedClock) -> None:
    bot = MemoryBot(market(clock, max_amount=D("0.01")))
    assert trip(bot, "0.0172") == ["0.0172", "0.01"]
    bot.restart()
    assert "0.0172" not in trip(bot, "0.0172")
    bot.order_service.sizes.forget()
    assert trip(bot, "0.0172")[0] == "0.0172"
    bot.order_service.sizes.forget()
    bot.restart()
    assert trip(bot, "0.0172")[0] == "0.0172"


def test_liquidation_that_carries_out_a_release_tries_the_whole_again(
    clock: SimulatedClock,
) -> None:
    bot = MemoryBot(market(clock, max_amount=D("0.01")))
    trip(bot, "0.0172")
    bot.exchange.account.deposit("BTC", D("0.03"), clock.now())
    bot.hold(D("0.03"))
    bot.exchange.terms = Terms(limits=LIMITS)
    bot.ask_release()
    assert bot.liquidate()
    assert sent(bot.exchange) == ["0.03"]


def test_a_maximum_and_a_step_are_learnt_apart(clock: SimulatedClock) -> None:
    bot = MemoryBot(market(clock, max_amount=D("0.01"), decimals=4))
    bot.exchange.account.deposit("BTC", D("0.03337"), clock.now())
    bot.hold(D("0.03337"))
    assert bot.liquidate()
    known = bot.order_service.sizes.known(BINDING, D(50000))
    assert (known.maximum, known.decimals) == (D("0.02"), 4)
    assert bot.position.tracked == D("0.00007")


def test_no_entry_of_a_trader_on_a_learnt_step_is_ever_written_off(clock: SimulatedClock) -> None:
    bot = MemoryBot(market(clock, max_amount=D("0.01")))
    bot.order(Purpose.ENTRY, D("0.0172"))
    assert bot.position.tracked == D("0.00999")
    assert bot.position.side == "BUY"
    bot.order(Purpose.EXIT, D("0.00999"))
    assert bot.position.tracked == 0


def test_an_exhausted_search_sends_one_order_an_attempt(clock: SimulatedClock) -> None:
    """An exchange that refuses every amount for its size is not asked again and again."""
    bot = MemoryBot(market(clock, max_amount=D(0)))
    bot.exchange.account.deposit("BTC", D("0.01998"), clock.now())
    bot.hold(D("0.01998"))
    assert not bot.liquidate(attempts=1)
    first = sent(bot.exchange)
    assert first[:3] == ["0.01998", "0.01", "0.005"]
    assert len(first) <= 10
    assert not bot.liquidate(attempts=3)
    assert sent(bot.exchange) == ["0.01998"] * 3
    assert bot.position.side == "BUY", "999 USDT are no dust, whatever is refused"
    bot.exchange.terms = Terms(limits=LIMITS)
    assert bot.liquidate()
    assert bot.position.tracked == 0


@pytest.mark.parametrize("lowered", ["400", "90", "30"])
def test_liquidation_after_a_maximum_worth_was_lowered_below_what_was_taken_sells_in_parts(
    clock: SimulatedClock, lowered: str
) -> None:
    exchange = market(clock, max_amount=D("0.01"))
    bot = MemoryBot(exchange)
    trip(bot, "0.015")
    bot.order(Purpose.ENTRY, D("0.01"))
    exchange.terms = Terms(limits=LIMITS, max_notional=D(lowered))
    assert bot.liquidate(attempts=20), "it is worth 100 times the published minimum"
    assert bot.position.tracked < LIMITS.min_amount
    assert exchange.account.free("BTC") >= 1


@pytest.mark.parametrize("dialect", [Dialect.BINANCE, Dialect.KRAKEN, Dialect.OKX])
def test_a_buy_of_nearly_all_shrinks_after_a_refusal_for_the_balance(
    clock: SimulatedClock, dialect: Dialect
) -> None:
    """Exchanges reserve more than a market order costs."""
    bot = MemoryBot(market(clock, dialect))
    bot.exchange.reserve = D("0.06")
    tried = []
    for _ in range(3):
        try:
            bot.order(Purpose.ENTRY, D(2))
        except OrderRefused:
            tried += sent(bot.exchange)
            continue
        break
    tried += sent(bot.exchange)
    assert tried == ["1.98", "1.881"], "the same amount is not sent for ever"
    assert bot.liquidate()


def test_a_balance_word_changes_nothing_where_most_is_left(clock: SimulatedClock) -> None:
    bot = MemoryBot(market(clock, Dialect.KRAKEN))
    bot.exchange.reserve = D(1000)
    for _ in range(2):
        with pytest.raises(OrderRefused, match="Insufficient funds"):
            bot.order(Purpose.ENTRY, D("0.02"))
    assert sent(bot.exchange) == ["0.02", "0.02"]


def test_short_entry_sells_the_maximum_and_is_bought_back_in_parts(clock: SimulatedClock) -> None:
    bot = MemoryBot(market(clock))
    bot.order(Purpose.SHORT_ENTRY, D("0.03"))
    assert bot.position.sold_short == D("0.03")
    bot.exchange.terms = Terms(limits=LIMITS, max_amount=D("0.012"))
    sent(bot.exchange)
    fill = bot.order(Purpose.SHORT_EXIT, D("0.03"))
    assert fill.filled == D("0.03")
    assert bot.position.sold_short == 0
    assert sent(bot.exchange) == ["0.03", "0.02", "0.01", "0.01", "0.01"]
    bot.order(Purpose.SHORT_ENTRY, D("0.03"))
    assert sent(bot.exchange) == ["0.015", "0.00999"]
    assert bot.position.sold_short == D("0.00999")
    assert bot.ledger.position(BINDING).tracked == 0


def test_exit_in_parts_of_which_a_later_one_fails_keeps_what_was_filled(
    clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = MemoryBot(market(clock, max_amount=D("0.02")))
    bot.hold(D("0.05"))
    place, taken = bot.exchange.place_order, bot.exchange.sent

    def closes_after_the_first_part(*args: Any) -> Fill:
        if len(taken) > len(bot.exchange.refused):
            raise OrderRefused("market is closed")
        return place(*args)

    monkeypatch.setattr(bot.exchange, "place_order", closes_after_the_first_part)
    fill = bot.order(Purpose.EXIT, D("0.05"))
    assert fill.filled == D("0.02")
    assert bot.position.tracked == D("0.05") - fill.filled
    with pytest.raises(OrderRefused, match="market is closed"):
        bot.order(Purpose.EXIT, bot.position.tracked)
    assert bot.position.tracked == D("0.05") - fill.filled
