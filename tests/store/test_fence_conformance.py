"""The fence of every store: a service that has lost an account records nothing of it any more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest
from support.ledger_samples import AT, BINDING, fill, intent, order
from support.store_backends import ClaimsBackend, LosingBackend

from execsvc.clock import Moment
from execsvc.errors import ClaimLost
from execsvc.model.comparison import Discrepancy
from execsvc.model.market import Limits
from execsvc.model.order import OrderState, Side
from execsvc.model.position import Position
from execsvc.model.refusal import SizeAnswer
from execsvc.model.result import utc_day
from execsvc.store.account_store import AccountStore
from execsvc.store.bot_facts import Missing
from execsvc.store.bot_store import BotStore
from execsvc.store.doubt import ACCOUNT, Doubt
from execsvc.store.orders import Expected
from execsvc.store.store import BotRecordsStore
from execsvc.store.tripped import Tripped

D = Decimal
LATER = AT + timedelta(minutes=1)
HELD = Position(tracked=D("0.02"), entry_price=D(50000), opened_at=AT)
OTHER = Position(tracked=D("0.03"), entry_price=D(50000), opened_at=AT)
GUARD = Tripped("daily_loss", "5", AT, "lost")
DOUBT = Doubt(
    bot_id="b1", symbol="BTC/USDT", discrepancy=Discrepancy.CONTESTED, at=AT, detail="lower"
)
ANSWER = SizeAnswer("c1", Side.SELL, D("0.02"), None, None, AT)

ACCOUNT_WRITES: dict[str, Callable[[AccountStore], object]] = {
    "begin": lambda account: account.begin(intent(3)),
    "unknown": lambda account: account.unknown("c1", AT, D(0), "no answer"),
    "outcome": lambda account: account.outcome("c1", OrderState.EXECUTED, fill(), AT),
    "adopted": lambda account: account.adopted("c0"),
    "forget_expected": lambda account: account.forget_expected("BTC/USDT"),
    "keep_doubts": lambda account: account.keep_doubts([DOUBT], "next", [ACCOUNT]),
    "decide_doubts": lambda account: account.decide_doubts("b1"),
    "ask_release": lambda account: account.ask_release("b2", AT),
    "release_done": lambda account: account.release_done("b1"),
}
ACCOUNT_READS: dict[str, Callable[[AccountStore], object]] = {
    "unsettled": lambda account: account.unsettled(),
    "row": lambda account: account.row("c0"),
    "last_executed": lambda account: account.last_executed(),
    "to_adopt": lambda account: account.to_adopt("b1"),
    "contested": lambda account: account.contested("b1"),
    "expected": lambda account: account.expected("BTC"),
    "fees_paid": lambda account: account.fees_paid("BNB", AT),
    "locked": lambda account: account.locked(),
    "expected_amounts": lambda account: account.expected_amounts(),
    "decisions": lambda account: account.decisions(),
    "doubts": lambda account: account.doubts(),
    "contested_positions": lambda account: account.contested_positions(),
    "is_compared": lambda account: account.is_compared(ACCOUNT, "next"),
    "known_order": lambda account: account.known_order("b1"),
    "newest_booked": lambda account: account.newest_booked("b1"),
    "release_asked": lambda account: [account.release_asked(bot_id) for bot_id in ("b1", "b2")],
    "tracked_by_all": lambda account: account.tracked_by_all("BTC"),
    "not_to_be_spent": lambda account: account.not_to_be_spent("BTC"),
    "open_positions": lambda account: account.open_positions(),
    "is_of_another_machine": lambda account: account.is_of_another_machine(),
}
BOT_WRITES: dict[str, Callable[[BotStore], object]] = {
    "bind": lambda bot: bot.bind(BINDING, 7),
    "keep_position": lambda bot: bot.keep_position(BINDING, OTHER),
    "keep_state": lambda bot: bot.keep_state("s", "{}"),
    "keep_limits": lambda bot: bot.keep_limits("k1", "BTC/USDT", Limits(min_amount=D(1))),
    "keep_failing": lambda bot: bot.keep_failing(AT, None),
    "log": lambda bot: bot.log(AT, "bot_flat", "text", {}),
    "book": lambda bot: bot.book(BINDING, order(1)),
    "note_intent": lambda bot: bot.note_intent(intent()),
    "note_start": lambda bot: bot.note_start(booting=False),
    "keep_guard": lambda bot: bot.keep_guard(GUARD),
    "drop_guard": lambda bot: bot.drop_guard("stop_loss"),
    "add_size_answer": lambda bot: bot.add_size_answer("k1", "BTC/USDT", ANSWER, AT),
    "forget_size_answers": lambda bot: bot.forget_size_answers(),
    "keep_missing": lambda bot: bot.keep_missing(BINDING, Missing(AT, 7.0, Moment(AT))),
    "abandon": lambda bot: bot.abandon(AT),
}
BOT_READS: dict[str, Callable[[BotStore], object]] = {
    "binding": lambda bot: bot.binding(),
    "precision": lambda bot: bot.precision(),
    "position": lambda bot: bot.position(BINDING),
    "open_positions": lambda bot: bot.open_positions(),
    "state": lambda bot: bot.state("s"),
    "strategy_time": lambda bot: bot.strategy_time(),
    "limits": lambda bot: bot.limits("k1", "BTC/USDT"),
    "paper_balance": lambda bot: bot.paper_balance("k1", "BTC/USDT"),
    "failing": lambda bot: bot.failing(),
    "is_booked": lambda bot: bot.is_booked("c1"),
    "contested_places": lambda bot: bot.contested_places("s"),
    "newest_order": lambda bot: bot.newest_order(),
    "unfilled_entries": lambda bot: bot.unfilled_entries(BINDING, 9),
    "fee_rate": lambda bot: bot.fee_rate(BINDING),
    "entries_sent": lambda bot: bot.entries_sent(BINDING, timedelta(days=9999)),
    "result": lambda bot: bot.result(BINDING, utc_day(AT)),
    "certain_today": lambda bot: bot.certain_today(BINDING, utc_day(AT)),
    "tripped_guards": lambda bot: bot.tripped_guards(),
    "size_answers": lambda bot: bot.size_answers("k1", "BTC/USDT"),
    "missing": lambda bot: bot.missing(BINDING),
    "opened": lambda bot: bot.opened(BINDING, AT),
    "still_possible": lambda bot: bot.still_possible(0.0),
}
NO_RECORDS = {"close", "check_claim", "may_decide"}
"""The methods of an account that neither read nor write records; two ask the lease of the host alone."""
OF_THE_PROCESS = {"open", "close", "is_owned_by", "make_room", "may_reenter"}
"""The methods of a bot that are about the process alone; ``may_reenter`` blocks entries at worst."""


def _methods(protocol: type) -> set[str]:
    return {name for name, value in vars(protocol).items() if callable(value) and name[0] != "_"}


def test_every_method_of_an_account_and_a_bot_is_tried() -> None:
    assert {*ACCOUNT_WRITES, *ACCOUNT_READS, *NO_RECORDS} == _methods(AccountStore)
    assert {*BOT_WRITES, *BOT_READS, *OF_THE_PROCESS} == _methods(BotStore)


def prepare_account(account: AccountStore) -> None:
    """One order is booked except in the bot's records, one is in flight, and operators have decided."""
    expected = Expected(amount=D(1), tolerance=D("0.001"), filled_at=AT)
    account.begin(intent(0))
    account.outcome("c0", OrderState.EXECUTED, fill(), AT, "", {"BTC": expected})
    account.begin(intent(1))
    account.keep_doubts([DOUBT], "start", [])
    account.ask_release("b1", AT)


def open_bot(store: BotRecordsStore) -> BotStore:
    """The records of a bot that runs, holds a position and may not enter."""
    bot = store.bot("b1", reports=True)
    bot.open()
    bot.bind(BINDING, 5)
    return bot


def seen_of_account(store: BotRecordsStore) -> dict[str, object]:
    """The answers to every question about the account, from records opened anew."""
    with closing(store.account("k1")) as account:
        return {name: read(account) for name, read in ACCOUNT_READS.items()}


def seen_of_bot(store: BotRecordsStore) -> dict[str, object]:
    """The answers to every question about the bot, from records opened anew."""
    with closing(store.bot("b1", reports=True)) as bot:
        bot.open()
        return {name: read(bot) for name, read in BOT_READS.items()}


@pytest.mark.parametrize("write", ACCOUNT_WRITES)
def test_account_write_under_a_lost_claim_records_nothing(
    losing_backend: LosingBackend, write: str
) -> None:
    store, successor = losing_backend.service("one"), losing_backend.service("two")
    claims = store.claims()
    assert claims.take("k1") is None
    with closing(store.account("k1")) as account:
        prepare_account(account)
        assert account.fence == claims.fence("k1")
        losing_backend.seize("k1", "two")
        if write == "begin":
            settle(successor)
        before = seen_of_account(successor)
        with pytest.raises(ClaimLost):
            ACCOUNT_WRITES[write](account)
        assert seen_of_account(successor) == before
        assert account.row("c0").state is OrderState.EXECUTED, "it can still be read"


@pytest.mark.parametrize("write", ACCOUNT_WRITES)
def test_account_write_under_its_claim_is_seen(losing_backend: LosingBackend, write: str) -> None:
    store = losing_backend.service()
    store.claims().take("k1")
    with closing(store.account("k1")) as account:
        prepare_account(account)
        if write == "begin":
            settle(store)
        before = seen_of_account(store)
        ACCOUNT_WRITES[write](account)
        assert seen_of_account(store) != before


def settle(store: BotRecordsStore) -> None:
    """Let the order in flight have an outcome."""
    with closing(store.account("k1")) as account:
        account.outcome("c1", OrderState.EXECUTED, fill(), AT)


@pytest.mark.parametrize("write", BOT_WRITES)
def test_bot_write_under_a_lost_claim_records_nothing(
    losing_backend: LosingBackend, write: str
) -> None:
    store, successor = losing_backend.service("one"), losing_backend.service("two")
    assert store.claims().take("k1") is None
    with closing(open_bot(store)) as bot:
        bot.keep_position(BINDING, HELD)
        losing_backend.seize("k1", "two")
        before = seen_of_bot(successor)
        with pytest.raises(ClaimLost):
            BOT_WRITES[write](bot)
        assert seen_of_bot(successor) == before
        assert bot.position(BINDING) == HELD, "it can still be read"


def test_successor_records_what_the_owner_before_it_may_not(losing_backend: LosingBackend) -> None:
    store, successor = losing_backend.service("one"), losing_backend.service("two")
    store.claims().take("k1")
    with closing(store.account("k1")) as account:
        account.begin(intent(1))
        losing_backend.seize("k1", "two")
        with closing(successor.account("k1")) as theirs:
            assert theirs.fence > account.fence
            theirs.outcome("c1", OrderState.EXECUTED, fill(), AT)
            theirs.begin(intent(2))
        with pytest.raises(ClaimLost):
            account.outcome("c2", OrderState.NOT_EXECUTED, fill("0"), AT)
        with closing(store.account("k1")) as again, pytest.raises(ClaimLost):
            again.outcome("c2", OrderState.NOT_EXECUTED, fill("0"), AT)
    with closing(open_bot(successor)) as bot:
        bot.keep_position(BINDING, HELD)


def test_account_taken_back_is_not_written_under_the_first_claim(
    losing_backend: LosingBackend,
) -> None:
    store = losing_backend.service("one")
    store.claims().take("k1")
    with closing(store.account("k1")) as account, closing(open_bot(store)) as bot:
        account.begin(intent(1))
        losing_backend.seize("k1", "two")
        losing_backend.seize("k1", "one")
        with pytest.raises(ClaimLost):
            account.outcome("c1", OrderState.EXECUTED, fill(), AT)
        with pytest.raises(ClaimLost):
            bot.keep_position(BINDING, HELD)
        with closing(store.account("k1")) as again:
            again.outcome("c1", OrderState.EXECUTED, fill(), AT)


def test_account_that_has_an_owner_is_written_under_the_claim_of_the_owner(
    claims_backend: ClaimsBackend,
) -> None:
    store = claims_backend.service("one")
    claims = store.claims()
    claims.take("k1")
    assert claims_backend.service("two").claims().take("k1") is not None
    with closing(store.account("k1")) as account, closing(open_bot(store)) as bot:
        assert account.fence == claims.fence("k1")
        account.begin(intent(1))
        bot.keep_position(BINDING, HELD)
