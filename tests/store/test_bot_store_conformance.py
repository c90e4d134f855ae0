"""The records of a bot in every store, by its protocol alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest
from support.ledger_samples import AT, BINDING, intent, order

from execsvc.clock import Moment, moment, now
from execsvc.errors import LedgerBusy
from execsvc.model.bot import Binding, Mode
from execsvc.model.market import Limits
from execsvc.model.order import Fill, OrderState, Side
from execsvc.model.position import Position
from execsvc.model.refusal import Refusal, SizeAnswer
from execsvc.model.result import utc_day
from execsvc.store.bot_facts import Missing
from execsvc.store.bot_store import BotStore
from execsvc.store.store import BotRecordsStore
from execsvc.store.tripped import Tripped

D = Decimal
ETH = BINDING.model_copy(update={"symbol": "ETH/USDT"})
HELD = Position(tracked=D("0.02"), entry_price=D(50000), opened_at=AT)


@pytest.fixture
def bot(store: BotRecordsStore) -> Iterator[BotStore]:
    """A bot that runs, with its records open."""
    made = store.bot("b1")
    made.open()
    made.bind(BINDING, 5)
    with closing(made):
        yield made


def again(store: BotRecordsStore, bot: BotStore) -> BotStore:
    """The same bot, as its next process sees it."""
    bot.close()
    made = store.bot(bot.bot_id)
    made.open()
    return made


def test_bot_that_never_ran_holds_nothing_and_knows_nothing(store: BotRecordsStore) -> None:
    with closing(store.bot("new")) as bot:
        bot.open()
        assert bot.binding() is None
        assert bot.precision() is None
        assert bot.position(BINDING) == Position()
        assert bot.open_positions() == []
        assert bot.state(BINDING.strategy) is None
        assert bot.strategy_time() is None
        assert bot.limits("k1", "BTC/USDT") == Limits()
        assert bot.paper_balance("k1", "BTC/USDT") is None
        assert bot.failing() == (None, None)
        assert bot.newest_order() is None
        assert bot.fee_rate(BINDING) is None
        assert bot.missing(BINDING) is None
        assert bot.tripped_guards() == []
        assert bot.result(BINDING, utc_day(AT)).realised == 0


def test_all_that_is_kept_is_there_for_the_next_process(
    store: BotRecordsStore, bot: BotStore
) -> None:
    limits = Limits(min_amount=D("0.00001"), min_notional=D(5))
    at = moment()
    bot.keep_position(BINDING, HELD)
    bot.keep_state("s", '{"loops":1}', at)
    bot.keep_limits("k1", "BTC/USDT", limits)
    bot.keep_failing(AT, AT)
    bot.keep_guard(Tripped("daily_loss", "5", AT, "lost"))
    bot.keep_missing(BINDING, Missing(AT, 7.0, Moment(AT)))
    bot.log(AT, "bot_flat", "text", {"a": 1})
    with closing(again(store, bot)) as later:
        assert later.binding() == BINDING
        assert later.precision() == 5
        assert later.position(BINDING) == HELD
        assert later.open_positions() == [(BINDING, HELD)]
        assert later.state("s") == '{"loops":1}'
        kept = later.strategy_time()
        assert kept is not None
        assert kept.boottime == at.boottime
        assert later.limits("k1", "BTC/USDT") == limits
        assert later.failing()[0] == AT
        assert [guard.guard for guard in later.tripped_guards()] == ["daily_loss"]
        found = later.missing(BINDING)
        assert found is not None
        assert (found.since, found.counted) == (AT, 7.0)


def test_what_is_forgotten_is_gone(bot: BotStore) -> None:
    bot.keep_state("s", "{}")
    bot.keep_state("s", None)
    bot.keep_failing(AT, None)
    bot.keep_failing(None, None)
    bot.keep_guard(Tripped("daily_loss", "5", AT, "lost"))
    bot.drop_guard("daily_loss")
    bot.keep_position(BINDING, HELD)
    bot.keep_missing(BINDING, Missing(AT, 7.0, Moment(AT)))
    bot.keep_missing(BINDING, None)
    assert bot.state("s") is None
    assert bot.failing() == (None, None)
    assert bot.tripped_guards() == []
    assert bot.missing(BINDING) is None


def test_bot_has_one_owner_at_a_time(store: BotRecordsStore, bot: BotStore) -> None:
    other = store.bot("b1")
    with pytest.raises(LedgerBusy) as busy:
        other.open()
    assert busy.value.pid == os.getpid()
    assert other.is_owned_by(os.getpid())
    assert not other.is_owned_by(1)
    bot.close()
    other.close()
    assert not other.is_owned_by(os.getpid())
    with closing(other):
        other.open()
        assert other.binding() == BINDING


def test_bots_are_kept_apart(store: BotRecordsStore, bot: BotStore) -> None:
    bot.keep_position(BINDING, HELD)
    with closing(store.bot("b2")) as other:
        other.open()
        assert other.position(BINDING) == Position()


def test_positions_of_two_symbols_are_kept_apart(bot: BotStore) -> None:
    bot.keep_position(BINDING, HELD)
    bot.keep_position(ETH, HELD)
    bot.keep_position(BINDING, Position())
    assert bot.open_positions() == [(ETH, HELD)]


def test_order_is_booked_once_whatever_is_said_twice(bot: BotStore) -> None:
    first = bot.book(BINDING, order(1))
    assert bot.book(BINDING, order(1)) == first == bot.position(BINDING)
    assert first.tracked == D("0.02")
    assert bot.is_booked("c1")
    assert not bot.is_booked("c2")
    assert bot.newest_order() == AT


def test_state_of_the_strategy_is_booked_with_the_order(bot: BotStore) -> None:
    bot.book(BINDING, order(1), '{"loops":1}')
    assert bot.state(BINDING.strategy) == '{"loops":1}'


def test_moment_of_the_opening_is_that_of_the_order(bot: BotStore) -> None:
    decided = moment()._replace(at=AT)
    position = bot.book(BINDING, order(1).model_copy(update={"decided": decided}))
    assert position.opened_at is not None
    assert bot.opened(BINDING, position.opened_at).boottime == decided.boottime


@pytest.mark.parametrize(("decided", "tracked"), [("0", "0"), ("0.01", "0.01"), ("0.02", "0.02")])
def test_contested_order_is_corrected_once_decided(
    bot: BotStore, decided: str, tracked: str
) -> None:
    bot.book(BINDING, order(1, state=OrderState.CONTESTED, filled="0.02"))
    assert bot.contested_places(BINDING.strategy) == [BINDING]
    state = OrderState.EXECUTED if D(decided) else OrderState.NOT_EXECUTED
    assert bot.book(BINDING, order(1, state=state, filled=decided)).tracked == D(tracked)
    assert bot.contested_places(BINDING.strategy) == []


def test_paper_balance_is_booked_with_the_order(bot: BotStore) -> None:
    paper = BINDING.model_copy(update={"mode": Mode.PAPER})
    bot.book(paper, order(1), None, (D("0.02"), D(9000)))
    assert bot.paper_balance("k1", "BTC/USDT") == (D("0.02"), D(9000))
    assert bot.newest_order() is None, "an order on paper is no live one"


def sold(binding: Binding, bot: BotStore, price: str) -> None:
    """Buy 0.02 at 50000 and sell it again at ``price``."""
    bot.book(binding, order(1))
    sale = order(2, Side.SELL).model_copy(
        update={"fill": Fill(filled=D("0.02"), average=D(price), cost=D("0.02") * D(price))}
    )
    bot.book(binding, sale)


def test_result_is_counted_in_all_and_on_its_day(bot: BotStore) -> None:
    sold(BINDING, bot, "49000")
    found = bot.result(BINDING, utc_day(AT))
    assert (found.realised, found.today) == (D(-20), D(-20))
    assert bot.result(BINDING, utc_day(AT + timedelta(days=1))).today == 0
    today = bot.certain_today(BINDING, utc_day(AT))
    assert today.realised == D(-20)
    assert bot.certain_today(BINDING, utc_day(AT), today.seen).realised == D(-20)


def test_unfilled_entries_are_counted_up_to_the_last_filled_one(bot: BotStore) -> None:
    for number, filled in ((1, "0.02"), (2, "0"), (3, "0")):
        state = OrderState.EXECUTED if D(filled) else OrderState.NOT_EXECUTED
        bot.book(BINDING, order(number, state=state, filled=filled))
    found = bot.unfilled_entries(BINDING, 10)
    assert (found.number, found.last_order) == (2, "c3")
    assert bot.unfilled_entries(BINDING, 1).number == 1
    bot.forget_size_answers()
    assert bot.unfilled_entries(BINDING, 10).number == 0, "an operator's release begins anew"


def test_entries_sent_are_those_of_the_span(bot: BotStore) -> None:
    sent = now()
    bot.book(BINDING, order(1))
    bot.book(BINDING, order(2).model_copy(update={"created_at": sent, "settled_at": sent}))
    assert len(bot.entries_sent(BINDING, timedelta(minutes=1))) == 1


def test_fee_rate_is_that_of_the_last_buy(bot: BotStore) -> None:
    bot.book(BINDING, order(1, fee="0.00002"))
    assert bot.fee_rate(BINDING) == D("0.001")


def test_size_answers_are_kept_in_their_order_until_they_are_forgotten(bot: BotStore) -> None:
    first = SizeAnswer("c1", Side.SELL, D("0.02"), D(50000), Refusal.BALANCE, AT)
    second = SizeAnswer("c2", Side.SELL, D("0.01"), None, None, AT)
    for answer in (first, second, second):
        bot.add_size_answer("k1", "BTC/USDT", answer, AT)
    assert bot.size_answers("k1", "BTC/USDT") == [first, second]
    assert bot.size_answers("k1", "ETH/USDT") == []
    late = SizeAnswer("c3", Side.SELL, D("0.03"), None, None, AT + timedelta(days=2))
    bot.add_size_answer("k1", "BTC/USDT", late, AT + timedelta(days=1))
    assert bot.size_answers("k1", "BTC/USDT") == [late]
    bot.forget_size_answers()
    assert bot.size_answers("k1", "BTC/USDT") == []


@pytest.mark.parametrize("reports", [True, False])
def test_outbox_counts_what_is_new_in_it(store: BotRecordsStore, reports: bool) -> None:
    with closing(store.bot("b1", reports=reports)) as bot:
        bot.open()
        bot.note_start(booting=False)
        bot.note_intent(intent())
        noted = bot.reported
        bot.note_intent(intent())
        assert bot.reported == noted
        assert (noted > 0) is reports
        bot.book(BINDING, order(1))
        assert (bot.reported > noted) is reports


def test_abandoned_position_is_flat_and_its_orders_are_decided(
    store: BotRecordsStore, bot: BotStore
) -> None:
    bot.keep_position(ETH, HELD)
    with closing(store.account("k1")) as account:
        account.begin(intent())
        account.unknown("c1", AT, D("0.01"), "no answer")
        assert bot.still_possible(1e12) > 0
        assert bot.still_possible(0.0) == 0
        given_up = bot.abandon(AT)
        assert account.unsettled() is None
        assert account.to_adopt("b1") == []
    assert {one.symbol: one.tracked for one in given_up} == {
        "BTC/USDT": D("0.01"),
        "ETH/USDT": D("0.02"),
    }
    assert bot.open_positions() == []
    assert bot.is_booked("c1")


def test_position_that_was_read_is_read_anew_after_every_change(
    store: BotRecordsStore, bot: BotStore
) -> None:
    assert bot.position(BINDING).is_flat
    bot.keep_state(BINDING.strategy, "{}", moment())
    bot.keep_position(BINDING, HELD)
    bot.keep_state(BINDING.strategy, "{}", moment())
    assert bot.position(BINDING) == HELD
    bot.keep_state(BINDING.strategy, None)
    bot.keep_position(BINDING, Position())
    assert bot.position(BINDING).is_flat
    bot.book(BINDING, order(), state="{}")
    held = bot.position(BINDING)
    assert not held.is_flat
    with closing(again(store, bot)) as next_one:
        assert next_one.position(BINDING) == held
