"""The realised result of a bot: kept with each booking, once, by mode and UTC day."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.ledger_samples import AT, BINDING, order

from execsvc.errors import LedgerFailed
from execsvc.failpoints import Failpoint, watch
from execsvc.model.bot import Mode
from execsvc.model.market import ZERO
from execsvc.model.order import Fill, OrderState, Side
from execsvc.store.orders import OrderRow
from execsvc.store.sqlite.bot import results
from execsvc.store.sqlite.bot.booking import book
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.paths import ledger_path
from execsvc.store.sqlite.service import survey

D = Decimal
TODAY = date(2026, 1, 1)
PAPER = BINDING.model_copy(update={"mode": Mode.PAPER})


def opened(state_dir: Path) -> BotLedger:
    made = BotLedger(state_dir, "b1")
    made.open()
    made.bind(BINDING, None)
    return made


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[BotLedger]:
    made = opened(tmp_path)
    yield made
    made.close()


def at(number: int, side: Side, filled: str, average: str, **changes: Any) -> OrderRow:
    fill = Fill(filled=D(filled), average=D(average) if average else None)
    return order(number, side).model_copy(update={"fill": fill, **changes})


def realised(ledger: BotLedger, day: date = TODAY, binding: Any = BINDING) -> tuple[D, D]:
    found = results.read(ledger.connection, binding, day)
    return found.realised, found.today


def test_a_round_trip(ledger: BotLedger) -> None:
    book(ledger, BINDING, at(1, Side.BUY, "0.02", "50000"))
    assert realised(ledger) == (0, 0)
    for _ in range(2):  # said twice, booked once
        book(ledger, BINDING, at(2, Side.SELL, "0.01", "49000"))
        assert realised(ledger) == (-10, -10)
    book(ledger, BINDING, at(3, Side.SELL, "0.01", "52000"))
    assert realised(ledger) == (10, 10)


def test_each_day_has_a_row_of_its_own(ledger: BotLedger) -> None:
    late = datetime(2026, 1, 2, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    book(ledger, BINDING, at(1, Side.BUY, "0.02", "50000"))
    book(ledger, BINDING, at(2, Side.SELL, "0.01", "49000", settled_at=late))
    assert realised(ledger) == (-10, -10), "23:30 of UTC"
    book(ledger, BINDING, at(3, Side.SELL, "0.01", "49500", settled_at=late + timedelta(hours=1)))
    assert realised(ledger) == (-15, -10)
    assert realised(ledger, date(2026, 1, 2)) == (-15, -5)
    assert realised(ledger, date(2026, 1, 3)) == (-15, 0)


def test_paper_is_not_money(ledger: BotLedger) -> None:
    for binding, price in ((PAPER, "60000"), (BINDING, "40000")):
        first = 1 if binding is PAPER else 3
        book(ledger, binding, at(first, Side.BUY, "0.02", "50000"))
        book(ledger, binding, at(first + 1, Side.SELL, "0.02", price))
    assert realised(ledger, binding=PAPER) == (200, 200)
    assert realised(ledger) == (-200, -200)


def test_another_symbol_counts_when_its_quote_is_the_same(ledger: BotLedger) -> None:
    for symbol in ("ETH/USDT", "ETH/EUR"):
        binding = BINDING.model_copy(update={"symbol": symbol})
        book(ledger, binding, at(len(symbol), Side.BUY, "1", "100", symbol=symbol))
        book(ledger, binding, at(-len(symbol), Side.SELL, "1", "101", symbol=symbol))
    assert realised(ledger) == (1, 1)


def test_coins_that_are_gone_realise_nothing(ledger: BotLedger) -> None:
    held = book(ledger, BINDING, at(1, Side.BUY, "0.02", "50000"))
    ledger.keep_position(BINDING, held.without(D("0.01")))
    book(ledger, BINDING, at(2, Side.SELL, "0.01", "50100"))
    assert realised(ledger) == (1, 1)


def test_a_short_that_is_dropped_realises_nothing(ledger: BotLedger) -> None:
    held = book(ledger, BINDING, at(1, Side.SELL, "0.02", "50000", short=True))
    ledger.keep_position(BINDING, held.without_short())
    book(ledger, BINDING, at(2, Side.SELL, "0.01", "40000", short=True))
    book(ledger, BINDING, at(3, Side.BUY, "0.01", "39900", short=True))
    assert realised(ledger) == (1, 1)


def test_dust_brings_its_cost_along(ledger: BotLedger) -> None:
    held = book(ledger, BINDING, at(1, Side.BUY, "1", "100"))
    held = book(ledger, BINDING, at(2, Side.SELL, "0.9", "110"))
    ledger.keep_position(BINDING, held.model_copy(update={"dust": True}))
    book(ledger, BINDING, at(3, Side.BUY, "0.9", "200"))
    book(ledger, BINDING, at(4, Side.SELL, "1", "200"))
    assert realised(ledger) == (19, 19)


@pytest.mark.parametrize(
    ("filled", "result"), [("0.02", "-20"), ("0.01", "-10"), ("0", "0")], ids=str
)
def test_a_contested_sale_is_corrected_on_the_day_of_the_decision(
    ledger: BotLedger, filled: str, result: str
) -> None:
    later = AT + timedelta(days=1)
    book(ledger, BINDING, at(1, Side.BUY, "0.02", "50000"))
    book(ledger, BINDING, at(2, Side.SELL, "0.02", "49000", state=OrderState.CONTESTED))
    assert realised(ledger) == (-20, -20)
    state = OrderState.EXECUTED if D(filled) else OrderState.NOT_EXECUTED
    decided = at(2, Side.SELL, filled, "49000", state=state, settled_at=later)
    for _ in range(2):
        book(ledger, BINDING, decided)
        assert realised(ledger, later.date()) == (D(result), D(result) + 20)
    book(ledger, BINDING, at(3, Side.SELL, f"{D('0.02') - D(filled)}", "50000", settled_at=later))
    assert realised(ledger)[0] == D(result), "what came back had its cost"


def test_a_contested_buy_that_was_none_is_taken_back(ledger: BotLedger) -> None:
    fee = Fill(filled=D("0.02"), average=D(50000), quote_fee=D(1))
    contested = order(1, state=OrderState.CONTESTED).model_copy(update={"fill": fee})
    book(ledger, BINDING, contested)
    assert realised(ledger) == (-1, -1)
    book(ledger, BINDING, order(1, state=OrderState.NOT_EXECUTED, filled="0"))
    assert realised(ledger) == (0, 0)


def test_the_ticker_values_a_fill_without_a_price(ledger: BotLedger) -> None:
    book(ledger, BINDING, at(1, Side.BUY, "0.02", "50000"))
    book(ledger, BINDING, at(2, Side.SELL, "0.02", "", price=D(49000)))
    assert realised(ledger) == (-20, -20)


@pytest.mark.parametrize("point", [Failpoint.BEFORE_COMMIT, Failpoint.AFTER_COMMIT])
def test_a_crash_neither_loses_nor_doubles_it(tmp_path: Path, point: Failpoint) -> None:
    ledger = opened(tmp_path)
    book(ledger, BINDING, at(1, Side.BUY, "0.02", "50000"))
    ledger.close()
    sale = at(2, Side.SELL, "0.02", "49000")
    pid = os.fork()
    if pid == 0:
        again = opened(tmp_path)
        watch(lambda passed: os._exit(99) if passed is point else None)
        book(again, BINDING, sale)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 99
    after = opened(tmp_path)
    was_booked = point is Failpoint.AFTER_COMMIT
    assert (after.position(BINDING).tracked == 0) is was_booked
    assert realised(after)[0] == (-20 if was_booked else 0)
    book(after, BINDING, sale)
    assert after.position(BINDING).tracked == 0
    assert realised(after) == (-20, -20)
    after.close()


DAMAGES = {
    "the table is gone": "DROP TABLE result",
    "all of them are gone": "DROP TABLE cost_basis; DROP TABLE order_result; DROP TABLE result",
    "a cost that is none": "UPDATE cost_basis SET cost='nan'",
    "a cost beyond all bounds": "UPDATE cost_basis SET cost='1e99999'",
    "a cost that is a blob": "UPDATE cost_basis SET cost=x'00'",
    "a day that is none": "INSERT INTO result VALUES ('LIVE', 'USDT', '2026-01-01', 'much')",
}


@pytest.mark.says("result_unknown")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_sale_is_booked_whatever_became_of_the_results(ledger: BotLedger, damage: str) -> None:
    ledger.connection.executescript("DELETE FROM result")
    book(ledger, BINDING, at(1, Side.BUY, "0.02", "50000"))
    if "day" in damage:
        ledger.connection.execute("DELETE FROM result")
    ledger.connection.executescript(DAMAGES[damage])
    assert book(ledger, BINDING, at(2, Side.SELL, "0.02", "49000"), "{}").tracked == 0
    assert ledger.position(BINDING).tracked == 0
    assert ledger.state(BINDING.strategy) == "{}"
    with pytest.raises(LedgerFailed):
        results.certain_today(ledger.connection, BINDING, TODAY)


def test_an_order_without_its_result_is_found_on_its_day_alone(ledger: BotLedger) -> None:
    tomorrow = AT + timedelta(days=1)
    book(ledger, BINDING, at(1, Side.BUY, "0.02", "50000"))
    book(ledger, BINDING, at(2, Side.SELL, "0.01", "49000"))
    assert results.certain_today(ledger.connection, BINDING, TODAY) == (-10, 2)
    ledger.connection.execute("DELETE FROM order_result WHERE client_order_id='c1'")
    book(ledger, BINDING, at(3, Side.SELL, "0.01", "49000", settled_at=tomorrow))
    with pytest.raises(LedgerFailed, match="without its result"):
        results.certain_today(ledger.connection, BINDING, TODAY)
    assert results.certain_today(ledger.connection, BINDING, tomorrow.date()).realised == -10
    assert results.certain_today(ledger.connection, BINDING, TODAY, seen=2) == (-10, 3)
    assert results.certain_today(ledger.connection, PAPER, TODAY) == (0, 0)


def test_a_ledger_of_an_older_service_goes_on_from_its_entry_price(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    book(ledger, BINDING, at(1, Side.BUY, "0.02", "50000"))
    for table in ("result", "cost_basis", "order_result", "guard"):
        ledger.connection.execute(f"DROP TABLE {table}")
    ledger.close()
    state = survey.read(tmp_path, "b1")
    assert state is not None and state.result is not None
    assert (state.result.realised, state.result.currency) == (ZERO, "USDT")
    again = opened(tmp_path)
    book(again, BINDING, at(1, Side.BUY, "0.02", "50000"))
    book(again, BINDING, at(2, Side.SELL, "0.01", "51000"))
    assert realised(again) == (10, 10)
    version = again.connection.execute("PRAGMA user_version").fetchone()[0]
    assert version == 1, "an older service still reads it"
    again.close()


def test_an_unreadable_result_does_not_make_the_position_unknown(
    ledger: BotLedger, tmp_path: Path
) -> None:
    book(ledger, BINDING, at(1, Side.BUY, "0.02", "50000"))
    with closing(sqlite3.connect(ledger_path(tmp_path, "b1"))) as damaging:
        damaging.execute("UPDATE result SET realised='much'")
        damaging.commit()
        damaging.execute("INSERT INTO guard VALUES ('daily_loss', '', 'never', '')")
        damaging.commit()
    state = survey.read(tmp_path, "b1")
    assert state is not None
    assert (state.position.tracked, state.result, state.daily_loss) == (D("0.02"), None, None)
