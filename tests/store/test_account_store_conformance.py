"""The records of an account in every store, by its protocol alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest
from support.ledger_samples import AT, BINDING, fill, intent, order

from execsvc.errors import LedgerFailed
from execsvc.model.bot import Binding
from execsvc.model.comparison import Discrepancy, OpenPosition
from execsvc.model.order import NOTHING_KNOWN, Fill, OrderState, Side
from execsvc.model.position import Position
from execsvc.store.account_store import NEVER_PAUSED, AccountStore
from execsvc.store.doubt import ACCOUNT, Doubt
from execsvc.store.orders import Expected
from execsvc.store.store import BotRecordsStore

D = Decimal
LATER = AT + timedelta(minutes=1)
ON_BTC = BINDING.model_copy(update={"symbol": "ETH/BTC"})


@pytest.fixture
def account(store: BotRecordsStore) -> Iterator[AccountStore]:
    """The account, as the process of a bot of it sees it."""
    with closing(store.account("k1")) as made:
        yield made


def holds(store: BotRecordsStore, bot_id: str, binding: Binding, tracked: str) -> None:
    """Let the records of ``bot_id`` say that it tracks so much."""
    with closing(store.bot(bot_id)) as bot:
        bot.open()
        bot.bind(binding, None)
        bot.keep_position(binding, Position(tracked=D(tracked), entry_price=D(50000), opened_at=AT))


def executed(
    account: AccountStore, number: int = 1, side: Side = Side.BUY, bot_id: str = "b1"
) -> None:
    """An order of ``bot_id`` that was sent, and executed in full."""
    account.begin(intent(number, side, bot_id))
    account.outcome(f"c{number}", OrderState.EXECUTED, fill(), AT)


def doubt(discrepancy: Discrepancy = Discrepancy.CONTESTED, bot_id: str = "b1") -> Doubt:
    return Doubt(bot_id=bot_id, symbol="BTC/USDT", discrepancy=discrepancy, at=AT, detail="lower")


def test_account_that_was_never_traded_knows_nothing(account: AccountStore) -> None:
    assert account.unsettled() is None
    assert account.last_executed() is None
    assert account.to_adopt("b1") == []
    assert account.contested("b1") == []
    assert account.expected("BTC") is None
    assert account.expected_amounts() == {}
    assert account.locked() == {}
    assert account.doubts() == []
    assert account.open_positions() == []
    assert account.known_order("b1") is None
    assert account.newest_booked("b1") is None
    assert account.tracked_by_all("BTC") == 0
    assert account.not_to_be_spent("USDT") == 0
    assert not account.is_of_another_machine()
    with pytest.raises(LedgerFailed):
        account.row("c1")


def test_one_order_is_out_at_a_time(store: BotRecordsStore, account: AccountStore) -> None:
    account.begin(intent())
    with closing(store.account("k1")) as other, pytest.raises(LedgerFailed):
        other.begin(intent(2))
    with closing(store.account("k2")) as another:
        another.begin(intent(3))
    account.outcome("c1", OrderState.EXECUTED, fill(), AT)
    account.begin(intent(2))


def test_order_of_a_claimed_account_may_be_sent_and_decided(account: AccountStore) -> None:
    account.check_claim()
    account.begin(intent(1))
    assert account.may_decide("c1")


def test_intent_is_seen_by_whoever_settles_it(
    store: BotRecordsStore, account: AccountStore
) -> None:
    account.begin(intent())
    account.unknown("c1", AT, D("0.01"), "no answer")
    with closing(store.account("k1")) as other:
        row = other.unsettled()
        assert row is not None
        assert (row.intent, row.at_least, row.detail) == (intent(), D("0.01"), "no answer")
        assert (row.state, row.post_ended_at) == (OrderState.UNKNOWN, AT)
        other.outcome("c1", OrderState.EXECUTED, fill(), LATER, "settled")
    row = account.row("c1")
    assert (row.fill, row.settled_at, row.detail) == (fill(), LATER, "settled")
    assert account.last_executed() is None, "the exchange gave it no id"


def test_outcome_is_final(account: AccountStore) -> None:
    executed(account)
    for state in (OrderState.NOT_EXECUTED, OrderState.UNKNOWN):
        with pytest.raises(LedgerFailed):
            account.outcome("c1", state, NOTHING_KNOWN, AT)
    with pytest.raises(LedgerFailed):
        account.unknown("c1", AT, D(0), "late")
    assert account.row("c1").state is OrderState.EXECUTED


def test_outcome_is_adopted_by_its_own_bot_once(account: AccountStore) -> None:
    executed(account)
    assert account.to_adopt("b2") == []
    assert [row.intent.client_order_id for row in account.to_adopt("b1")] == ["c1"]
    account.adopted("c1")
    assert account.to_adopt("b1") == []


def test_contested_order_waits_and_is_adopted_anew_once_decided(account: AccountStore) -> None:
    account.begin(intent())
    account.outcome("c1", OrderState.CONTESTED, fill(), AT)
    account.adopted("c1")
    assert [row.intent.client_order_id for row in account.contested("b1")] == ["c1"]
    assert account.contested("b2") == []
    account.outcome("c1", OrderState.NOT_EXECUTED, Fill(filled=D(0)), LATER)
    assert account.contested("b1") == []
    assert len(account.to_adopt("b1")) == 1


def test_turn_has_one_holder(store: BotRecordsStore, account: AccountStore) -> None:
    with closing(store.account("k1")) as other, closing(store.account("k2")) as another:
        assert account.turn.try_acquire()
        assert not other.turn.try_acquire()
        assert another.turn.try_acquire()
        account.turn.release()
        assert other.turn.try_acquire()
        assert not account.turn.try_acquire()
    assert account.turn.try_acquire(), "who closes an account has no turn any more"


def test_all_handles_of_a_claim_have_its_fence(
    store: BotRecordsStore, account: AccountStore
) -> None:
    with closing(store.account("k1")) as other:
        assert other.fence == account.fence >= 0


def test_coins_of_all_bots_are_counted_with_what_is_not_booked_yet(
    store: BotRecordsStore, account: AccountStore
) -> None:
    holds(store, "b1", BINDING, "0.5")
    holds(store, "b2", BINDING, "0.25")
    holds(store, "b3", ON_BTC, "7")
    assert account.tracked_by_all("BTC") == D("0.75")
    executed(account)
    assert account.tracked_by_all("BTC") == D("0.75") + D("0.02") - D("0.00002")
    account.adopted("c1")
    assert account.tracked_by_all("BTC") == D("0.75")
    with closing(store.account("k2")) as other:
        assert other.tracked_by_all("BTC") == 0


def test_coins_are_not_counted_while_an_order_is_contested(account: AccountStore) -> None:
    account.begin(intent())
    account.outcome("c1", OrderState.CONTESTED, fill(), AT)
    for count in (account.tracked_by_all, account.not_to_be_spent):
        with pytest.raises(LedgerFailed):
            count("BTC")
    assert account.tracked_by_all("ETH") == 0


def test_position_in_a_quote_is_not_to_be_spent(
    store: BotRecordsStore, account: AccountStore
) -> None:
    executed(account, bot_id="b2")
    account.adopted("c1")
    holds(store, "b2", BINDING, "0.25")
    assert account.not_to_be_spent("BTC") == D("0.25")
    assert account.not_to_be_spent("USDT") == 0


def test_open_positions_are_those_of_bots_that_bought_here(
    store: BotRecordsStore, account: AccountStore
) -> None:
    executed(account)
    holds(store, "b1", BINDING, "0.5")
    holds(store, "b2", BINDING, "0.25")
    assert account.open_positions() == [OpenPosition("b1", "BTC/USDT", D("0.5"), D(50000))]


def test_balance_is_expected_until_it_is_forgotten(account: AccountStore) -> None:
    expected = Expected(amount=D("1.02"), tolerance=D("0.001"), filled_at=AT)
    account.begin(intent(), {"BTC": D(2)})
    account.outcome("c1", OrderState.EXECUTED, fill(), AT, "", {"BTC": expected})
    found = account.expected("BTC")
    assert found is not None
    assert (found.amount, found.tolerance, found.filled_at) == (D("1.02"), D("0.001"), AT)
    assert account.expected_amounts() == {"BTC": D("1.02")}
    assert account.locked() == {"BTC": D(2)}
    account.forget_expected("BTC/USDT")
    assert account.expected("BTC") is None


def test_fees_in_a_third_coin_are_summed_from_a_time_on(account: AccountStore) -> None:
    for number, at in ((1, AT), (2, LATER)):
        account.begin(intent(number))
        paid = fill().model_copy(update={"other_fees": (("BNB", D("0.5")),)})
        account.outcome(f"c{number}", OrderState.EXECUTED, paid, at)
    assert account.fees_paid("BNB", AT) == D(1)
    assert account.fees_paid("BNB", LATER) == D("0.5")
    assert account.fees_paid("BTC", AT) == 0


def test_doubt_waits_until_it_is_decided(account: AccountStore) -> None:
    account.keep_doubts([doubt(), doubt(Discrepancy.GONE, "b2")], "start", [ACCOUNT, "b1"])
    assert {one.bot_id for one in account.doubts()} == {"b1", "b2"}
    assert account.contested_positions() == [doubt()]
    assert account.is_compared(ACCOUNT, "start")
    assert account.is_compared("b1", "start")
    assert not account.is_compared("b1", "next start")
    assert account.decide_doubts("b1") == [doubt()]
    assert account.decide_doubts("b1") == []
    assert account.contested_positions() == []


def test_contested_position_stays_so_unless_it_is_found_to_be_closed(
    account: AccountStore,
) -> None:
    account.keep_doubts([doubt()], "start", [])
    account.keep_doubts([doubt(Discrepancy.GONE)], "start", [])
    account.keep_doubts([doubt()], "start", [])
    assert [one.discrepancy for one in account.doubts()] == [Discrepancy.GONE]


def test_decided_doubt_names_the_order_that_is_known_from_then_on(account: AccountStore) -> None:
    executed(account)
    account.adopted("c1")
    assert account.known_order("b1") == AT
    assert account.newest_booked("b1") == ("c1", AT)
    account.keep_doubts([doubt().model_copy(update={"order_at": LATER})], "start", [])
    account.decide_doubts("b1")
    assert account.known_order("b1") == LATER
    assert account.newest_booked("b1") is None


def test_decision_stands_that_is_made_while_a_comparison_is_under_way(
    account: AccountStore,
) -> None:
    account.keep_doubts([doubt()], "start", [])
    before = account.decisions()
    account.decide_doubts("b1")
    late = doubt().model_copy(update={"order_at": LATER})
    account.keep_doubts([late, doubt(bot_id="b2")], "start", ["b1"], before)
    assert [one.bot_id for one in account.doubts()] == ["b2"]
    assert account.is_compared("b1", "start")
    assert account.known_order("b1") == LATER, "a later start finds the same order decided"
    account.keep_doubts([doubt()], "next start", [], account.decisions())
    assert [one.bot_id for one in account.doubts()] == ["b2", "b1"]


def test_release_is_asked_of_one_bot_until_it_is_done(account: AccountStore) -> None:
    account.ask_release("b1", AT)
    account.ask_release("b1", LATER)
    assert account.release_asked("b1")
    assert not account.release_asked("b2")
    account.release_done("b1")
    assert not account.release_asked("b1")


def test_records_outlast_the_process(store: BotRecordsStore, account: AccountStore) -> None:
    executed(account)
    account.keep_doubts([doubt()], "start", [])
    account.ask_release("b1", AT)
    account.close()
    with closing(store.account("k1")) as later:
        assert later.row("c1").fill == fill()
        assert later.doubts() == [doubt()]
        assert later.release_asked("b1")


def test_order_that_executed_last_is_the_newest_with_an_id(account: AccountStore) -> None:
    for number, exchange_id in ((1, "x1"), (2, "x2"), (3, None)):
        account.begin(intent(number))
        filled = fill().model_copy(update={"exchange_id": exchange_id})
        account.outcome(f"c{number}", OrderState.EXECUTED, filled, AT)
    found = account.last_executed()
    assert found is not None
    assert found.intent.client_order_id == "c2"


def test_bot_adopts_what_the_account_has_settled(
    store: BotRecordsStore, account: AccountStore
) -> None:
    executed(account)
    with closing(store.bot("b1")) as bot:
        bot.open()
        for row in account.to_adopt("b1"):
            bot.book(BINDING, row.order())
            account.adopted(row.intent.client_order_id)
        assert bot.position(BINDING).tracked == order(fee="0.00002").fill.base_change(Side.BUY)
    assert account.to_adopt("b1") == []


def test_pause_and_ban_of_an_account_are_shared_and_never_shortened(
    store: BotRecordsStore,
) -> None:
    pause, other = store.pause("k1"), store.pause("k1")
    assert pause.remaining() == pause.banned() == NEVER_PAUSED
    pause.pause(60.0)
    other.pause(1.0)
    pause.ban(600.0, "too many requests")
    other.ban(1.0, "again")
    assert 50 < other.remaining() <= 60
    assert 500 < other.banned() <= 600
    assert store.pause("k2").remaining() == NEVER_PAUSED
