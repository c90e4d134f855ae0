"""Fees in a third coin, as the account's journal keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from support.ledger_samples import AT, intent

from execsvc.model.order import NOTHING_KNOWN, Fill, OrderState
from execsvc.store.orders import Expected
from execsvc.store.sqlite.account import doubts, fees
from execsvc.store.sqlite.account.account_journal import AccountJournal

D = Decimal
FILL = Fill(filled=D("0.01"), other_fees=(("BNB", D("0.02")), ("MX", D(3))))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[AccountJournal]:
    made = AccountJournal(tmp_path, "k1")
    yield made
    made.close()


def paid(journal: AccountJournal, asset: str, seconds: float = 0) -> Decimal:
    return fees.paid_in(journal.connection, asset, AT - timedelta(seconds=seconds))


def test_outcome_keeps_the_fees_in_other_coins_once(journal: AccountJournal) -> None:
    assert paid(journal, "BNB") == 0
    for number in (1, 2):
        order = intent(number)
        journal.begin(order)
        open_fee = FILL.model_copy(update={"base_fee": None})
        journal.outcome(order.client_order_id, OrderState.ARRIVING, open_fee, AT)
        journal.outcome(order.client_order_id, OrderState.EXECUTED, FILL, AT)
    assert (paid(journal, "bnb"), paid(journal, "MX"), paid(journal, "BTC")) == (D("0.04"), 6, 0)
    assert paid(journal, "BNB", -1) == 0, "before that time"


def test_outcome_is_recorded_also_where_its_fees_cannot_be(journal: AccountJournal) -> None:
    order = intent(1)
    journal.begin(order)
    journal.connection.execute("DROP TABLE fee")
    journal.outcome(order.client_order_id, OrderState.EXECUTED, FILL, AT)
    assert journal.row(order.client_order_id).state is OrderState.EXECUTED
    assert paid(journal, "BNB") == 0


def test_outcome_lets_the_balance_of_the_coin_be_lower_by_the_fee(journal: AccountJournal) -> None:
    """Else the next order of the bot that holds it would wait for a balance that never comes back."""
    expected = Expected(amount=D(10), tolerance=D("1e-8"), filled_at=AT)
    holder, payer = intent(1), intent(2)
    journal.begin(holder)
    journal.outcome("c1", OrderState.EXECUTED, Fill(filled=D(10)), AT, expected={"BNB": expected})
    journal.begin(payer)
    journal.outcome("c2", OrderState.EXECUTED, FILL, AT)
    found = journal.expected("BNB")
    assert found is not None
    assert [found.agrees(D(free)) for free in ("10", "9.98", "9.97")] == [True, True, False]


def test_fees_since_the_last_fill_of_a_coin_are_not_missing_from_it(
    journal: AccountJournal,
) -> None:
    """At a start less of a coin, by as much as a bot holds of it, would be a position that is gone."""
    expected = Expected(amount=D(10), tolerance=D("1e-8"), filled_at=AT)
    journal.begin(intent(1))
    journal.outcome("c1", OrderState.EXECUTED, Fill(filled=D(10)), AT, expected={"BNB": expected})
    journal.begin(intent(2))
    journal.outcome("c2", OrderState.EXECUTED, FILL, AT + timedelta(seconds=1))
    assert doubts.expected_amounts(journal.connection) == {"BNB": D("9.98")}


def test_outcome_that_is_not_known_pays_nothing(journal: AccountJournal) -> None:
    order = intent(1)
    journal.begin(order)
    journal.outcome(order.client_order_id, OrderState.ARRIVING, NOTHING_KNOWN, AT)
    assert paid(journal, "BNB") == 0
