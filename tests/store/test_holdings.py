"""The coins that all bots of an account track: the other coins are the user's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from support.ledger_samples import AT, BINDING, fill, intent, order

from execsvc.errors import LedgerFailed
from execsvc.model.bot import Mode
from execsvc.model.order import OrderState, Side
from execsvc.model.position import Position
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.bot.booking import book
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.service.survey import read

D = Decimal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[AccountJournal]:
    made = AccountJournal(tmp_path, "k1")
    yield made
    made.close()


def hold(folder: Path, bot_id: str, tracked: str, **place: object) -> None:
    ledger = BotLedger(folder, bot_id)
    ledger.open()
    ledger.keep_position(BINDING.model_copy(update=place), Position(tracked=D(tracked)))
    ledger.close()


def test_every_bot_of_the_account_and_asset_counts_and_no_other(
    tmp_path: Path, journal: AccountJournal
) -> None:
    hold(tmp_path, "one", "0.5")
    hold(tmp_path, "two", "0.25", symbol="BTC/EUR")
    hold(tmp_path, "another key", "7", key_id="k2")
    hold(tmp_path, "another asset", "7", symbol="ETH/BTC")
    hold(tmp_path, "on paper", "7", mode=Mode.PAPER)

    assert journal.tracked_by_all("BTC") == D("0.75")


def test_a_buy_that_its_dead_bot_has_not_booked_counts(journal: AccountJournal) -> None:
    for number, asset_bought in ((1, True), (2, False)):
        row = intent(number)
        journal.begin(row if asset_bought else row.model_copy(update={"short": True}))
        journal.outcome(f"c{number}", OrderState.EXECUTED, fill(), AT)

    assert journal.tracked_by_all("BTC") == D("0.01998")
    journal.adopted("c1")
    assert journal.tracked_by_all("BTC") == 0


def test_a_contested_buy_leaves_it_unknown(journal: AccountJournal) -> None:
    journal.begin(intent())
    journal.outcome("c1", OrderState.CONTESTED, fill("0"), AT)
    journal.adopted("c1")

    with pytest.raises(LedgerFailed, match="c1 is contested"):
        journal.tracked_by_all("BTC")
    assert journal.tracked_by_all("ETH") == 0


def test_a_ledger_that_cannot_be_read_leaves_it_unknown(
    tmp_path: Path, journal: AccountJournal
) -> None:
    hold(tmp_path, "one", "0.5")
    (tmp_path / "bots" / "damaged.db").write_bytes(b"no database")

    with pytest.raises(LedgerFailed):
        journal.tracked_by_all("BTC")


def test_a_short_order_is_booked_beside_what_is_tracked_and_counts_as_open(tmp_path: Path) -> None:
    ledger = BotLedger(tmp_path, "b1")
    ledger.open()
    ledger.bind(BINDING, None)
    sale = order(1, Side.SELL).model_copy(update={"short": True})
    back = order(2, Side.BUY, fee="0.00002").model_copy(update={"short": True})

    sold = book(ledger, BINDING, sale)
    assert (sold.tracked, sold.sold_short) == (0, D("0.02"))
    state = read(tmp_path, "b1")
    assert state is not None
    assert state.is_open

    assert book(ledger, BINDING, back).side is None
    state = read(tmp_path, "b1")
    assert state is not None
    assert not state.is_open
    ledger.close()


def test_not_to_be_spent_opens_only_ledgers_of_bots_that_bought_the_coin(
    tmp_path: Path, journal: AccountJournal
) -> None:
    journal.begin(intent(1))
    journal.outcome("c1", OrderState.EXECUTED, fill(), AT)
    assert journal.not_to_be_spent("BTC") == D("0.01998")
    journal.adopted("c1")
    assert journal.not_to_be_spent("BTC") == 0

    buyer = intent(1).bot_id
    hold(tmp_path, buyer, "0.5")
    hold(tmp_path, "never bought here", "7")
    (tmp_path / "bots" / "damaged.db").write_bytes(b"no database")
    assert journal.not_to_be_spent("BTC") == D("0.5")
    assert journal.not_to_be_spent("BTC2") == journal.not_to_be_spent("USDT") == 0


def test_not_to_be_spent_contested_buy_raises(journal: AccountJournal) -> None:
    journal.begin(intent())
    journal.outcome("c1", OrderState.CONTESTED, fill("0"), AT)

    with pytest.raises(LedgerFailed, match="c1 is contested"):
        journal.not_to_be_spent("BTC")
