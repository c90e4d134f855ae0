"""A position that is given up: what is booked, what becomes of its orders, how long it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from support.ledger_samples import AT, BINDING, fill, intent, order

from execsvc.clock import Moment, now
from execsvc.model.order import NOTHING_KNOWN, Fill, OrderState, Side
from execsvc.model.position import Position
from execsvc.store.abandoned import command_to_abandon
from execsvc.store.bot_facts import Missing
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.bot import missing
from execsvc.store.sqlite.bot.abandoned import abandoned_lately
from execsvc.store.sqlite.bot.booking import book
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.service.survey import read

D = Decimal


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[BotLedger]:
    made = BotLedger(tmp_path, "b1")
    made.open()
    made.bind(BINDING, None)
    yield made
    made.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[AccountJournal]:
    made = AccountJournal(tmp_path, "k1")
    yield made
    made.close()


def is_open(folder: Path) -> bool:
    state = read(folder, "b1")
    assert state is not None
    return state.is_open or state.contested > 0


def test_abandon_every_position_of_the_bot_is_booked_and_shown(
    ledger: BotLedger, tmp_path: Path
) -> None:
    other = BINDING.model_copy(update={"key_id": "k2", "symbol": "ETH/USDT"})
    ledger.keep_position(BINDING, Position(tracked=D("0.5"), dust=True))
    ledger.keep_position(other, Position(sold_short=D("2"), opened_at=AT))
    missing.keep(ledger, BINDING, Missing(AT, 0.0, Moment(AT)))
    ledger.keep_failing(AT, AT)
    ledger.keep_state(BINDING.strategy, "{}")
    at = now()
    given_up = ledger.abandon(at)
    assert [(one.key_id, one.tracked, one.sold_short) for one in given_up] == [
        ("k1", D("0.5"), D(0)),
        ("k2", D(0), D(2)),
    ]
    assert "2 ETH sold short (ETH/USDT, key k2) booked as abandoned" in given_up[1].text
    assert ledger.position(BINDING) == ledger.position(other) == Position()
    assert missing.read(ledger, BINDING) is None
    assert ledger.failing() == (None, None)
    assert ledger.state(BINDING.strategy) is None
    state = read(tmp_path, "b1")
    assert state is not None
    assert [one.shown() for one in state.abandoned] == [one.shown() for one in given_up]


def test_abandon_flat_bot_books_nothing(ledger: BotLedger, tmp_path: Path) -> None:
    assert ledger.abandon(now()) == []
    assert abandoned_lately(ledger.connection, now()) == []


def test_abandoned_lately_is_a_day_long(ledger: BotLedger, tmp_path: Path) -> None:
    ledger.keep_position(BINDING, Position(tracked=D("0.5")))
    at = now()
    ledger.abandon(at)
    for later, count in ((-3600, 1), (0, 1), (86_399, 1), (86_401, 0)):
        moment = at + timedelta(seconds=later)
        assert len(abandoned_lately(ledger.connection, moment)) == count, later


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("at_least", ["0", "0.005"])
def test_abandon_unknown_order_counts_as_its_lower_bound(
    ledger: BotLedger, journal: AccountJournal, tmp_path: Path, side: Side, at_least: str
) -> None:
    book(ledger, BINDING, order(9))
    journal.begin(intent(1, side))
    journal.unknown("c1", AT, D(at_least), "HTTP 500")
    (one,) = ledger.abandon(now())
    row = journal.row("c1")
    assert row.state is (OrderState.EXECUTED if D(at_least) else OrderState.NOT_EXECUTED)
    assert row.fill.filled == D(at_least)
    assert one.tracked == D("0.02") + side.sign * D(at_least)
    assert not is_open(tmp_path)
    assert journal.unsettled() is None


@pytest.mark.parametrize("state", [OrderState.ARRIVING, OrderState.CONTESTED])
def test_abandon_other_open_orders_are_decided_as_they_were_booked(
    ledger: BotLedger, journal: AccountJournal, tmp_path: Path, state: OrderState
) -> None:
    journal.begin(intent(1))
    found = Fill(filled=D("0.02"), base_fee=None) if state is OrderState.ARRIVING else fill()
    journal.outcome("c1", state, found, AT)
    (one,) = ledger.abandon(now())
    assert journal.row("c1").state is OrderState.EXECUTED
    assert one.tracked in (D("0.0198"), D("0.01998"))
    assert not is_open(tmp_path)


def test_abandon_order_whose_answer_contradicts_itself_counts_as_not_executed(
    ledger: BotLedger, journal: AccountJournal, tmp_path: Path
) -> None:
    book(ledger, BINDING, order(9))
    journal.begin(intent(1))
    journal.outcome("c1", OrderState.ARRIVING, NOTHING_KNOWN, AT)
    (one,) = ledger.abandon(now())
    assert journal.row("c1").state is OrderState.NOT_EXECUTED
    assert one.tracked == D("0.02")
    assert not is_open(tmp_path)


def test_abandon_leaves_orders_of_other_bots_alone(
    ledger: BotLedger, journal: AccountJournal, tmp_path: Path
) -> None:
    ledger.keep_position(BINDING, Position(tracked=D("0.5")))
    journal.begin(intent(1, bot_id="b2"))
    journal.ask_release("b1", AT)
    journal.ask_release("b2", AT)
    ledger.abandon(now())
    assert journal.row("c1").state is OrderState.IN_FLIGHT
    assert not journal.release_asked("b1")
    assert journal.release_asked("b2")


def test_still_possible_open_order_of_the_bot_until_it_cannot_execute(
    ledger: BotLedger, journal: AccountJournal, tmp_path: Path
) -> None:
    assert ledger.still_possible(40.0) == 0
    fresh = intent(1).model_copy(update={"created_at": now() + timedelta(hours=1)})
    journal.begin(fresh)
    assert ledger.still_possible(40.0) == 40.0, "a clock that was set back"
    journal.outcome("c1", OrderState.NOT_EXECUTED, fill("0", "0"), AT)
    assert ledger.still_possible(40.0) == 0
    journal.begin(intent(2))
    assert ledger.still_possible(40.0) == 0, "it is as old as the test's clock"


def test_command_to_abandon_quotes_an_id() -> None:
    assert command_to_abandon("a b") == "execsvc release 'a b' --abandon"
