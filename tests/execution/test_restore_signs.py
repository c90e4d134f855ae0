"""A ledger against the orders that BotService knows, with an operator who decides meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from support.ledger_samples import AT, BINDING, order
from support.stores import store_in

from execsvc.clients.order_history import PastOrder
from execsvc.execution.venues.restore_signs import RestoreSigns, StartOfService
from execsvc.model.comparison import Discrepancy
from execsvc.store.account_store import AccountStore
from execsvc.store.bot_store import BotStore
from execsvc.store.doubt import Doubt

LATER = AT + timedelta(days=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[BotStore]:
    """The open ledger of b1, which has one order."""
    with closing(store_in(tmp_path).bot("b1")) as made:
        made.open()
        made.bind(BINDING, None)
        made.book(BINDING, order())
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[AccountStore]:
    """The journal of the account k1."""
    with closing(store_in(tmp_path).account("k1")) as made:
        yield made


class KnownOrders:
    """BotService, which knows an order of LATER; ``journal`` gets an operator's decision meanwhile."""

    def __init__(self, journal: AccountStore | None = None) -> None:
        self._journal = journal

    def newest(self, bot_id: str) -> PastOrder:
        if self._journal is not None:
            self._journal.decide_doubts(bot_id)
        return PastOrder(symbol="BTC/USDT", side="SELL", timestamp=LATER)


def test_bot_service_knows_a_newer_order_contests_the_position(
    ledger: BotStore, journal: AccountStore
) -> None:
    checks = RestoreSigns(ledger, BINDING, journal, StartOfService("now", KnownOrders()))
    checks.check_bot_service()
    assert [doubt.order_at for doubt in journal.contested_positions()] == [LATER]


def test_decision_of_an_operator_during_the_call_stands(
    ledger: BotStore, journal: AccountStore
) -> None:
    contested = Doubt(
        bot_id="b1", symbol="BTC/USDT", discrepancy=Discrepancy.CONTESTED, at=AT, detail="older"
    )
    journal.keep_doubts([contested], "before", [])

    checks = RestoreSigns(ledger, BINDING, journal, StartOfService("now", KnownOrders(journal)))
    checks.check_bot_service()
    assert journal.contested_positions() == []
    later = RestoreSigns(ledger, BINDING, journal, StartOfService("next", KnownOrders()))
    later.check_bot_service()
    assert journal.contested_positions() == [], "the next start does not find the order again"
