"""The outbox: what is told of an order, once each, in order, whoever writes or reads it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.ledger_samples import BINDING, fill, intent, order

from execsvc.clock import SimulatedClock, installed
from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.model.bot import Mode
from execsvc.model.order import Fill, OrderState, Side
from execsvc.model.order_report import ReportKind
from execsvc.store.outbox import Mark, OutboxRow
from execsvc.store.sqlite.bot.booking import book
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.bot.outbox import MOST_REFUSED, note_intent, waiting
from execsvc.store.sqlite.in_memory import InMemoryStore
from execsvc.store.sqlite.paths import ledger_path
from execsvc.store.sqlite.report_support import takes_reports
from execsvc.store.sqlite.service.deliveries import FILE, DeliveriesFile
from execsvc.store.sqlite.service.outboxes import LedgerOutboxes

D = Decimal
FILLED = ["ORDER", "SENT", "EXECUTION", "FILLED"]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[BotLedger]:
    yield from opened(tmp_path, reports=True)


def opened(folder: Path, reports: bool) -> Iterator[BotLedger]:
    made = BotLedger(folder, "b1", reports)
    made.open()
    made.bind(BINDING, None)
    yield made
    made.close()


def read(folder: Path, after: Mark | None = None, most: int = 100) -> list[OutboxRow]:
    rows, count = waiting(ledger_path(folder, "b1"), after, most)
    assert len(rows) == min(count, most)
    return rows


def kinds(folder: Path, number: int = 1) -> list[str]:
    return [row.mark.kind.value for row in read(folder) if row.mark.order_id == f"c{number}"]


def body(folder: Path, kind: ReportKind) -> dict[str, Any]:
    (text,) = (row.body for row in read(folder) if row.mark.kind is kind)
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_life_of_an_order(ledger: BotLedger, tmp_path: Path) -> None:
    note_intent(ledger, intent())
    assert kinds(tmp_path) == ["ORDER", "SENT"]
    book(ledger, BINDING, order(fee="0.00002"))
    assert kinds(tmp_path) == FILLED
    assert ledger.reported == 4
    assert body(tmp_path, ReportKind.ORDER) == {
        "bot_id": "b1",
        "symbol": "BTC/USDT",
        "side": "BUY",
        "quantity": "0.02",
        "reason": "test",
        "timestamp": "2026-01-01T00:00:00.000Z",
    }
    told = body(tmp_path, ReportKind.EXECUTION)
    assert D(told.pop("price")) == 50000
    assert D(told.pop("quote_qty")) == 1000
    assert told == {
        "exchange_trade_id": "c1",
        "exchange_order_id": "c1",
        "symbol": "BTC/USDT",
        "side": "BUY",
        "quantity": "0.02",
        "fee": "0.00002",
        "fee_asset": "BTC",
        "timestamp": "2026-01-01T00:00:00.000Z",
    }


def test_an_intent_that_was_lost_is_told_with_the_outcome(
    ledger: BotLedger, tmp_path: Path
) -> None:
    book(ledger, BINDING, order())
    assert kinds(tmp_path) == FILLED


def test_what_is_booked_twice_is_told_once(ledger: BotLedger, tmp_path: Path) -> None:
    for _ in range(2):
        note_intent(ledger, intent())
        book(ledger, BINDING, order())
    assert kinds(tmp_path) == FILLED
    assert ledger.reported == 4


def test_a_refusal_is_told(ledger: BotLedger, tmp_path: Path) -> None:
    book(ledger, BINDING, order(state=OrderState.NOT_EXECUTED, filled="0"))
    assert kinds(tmp_path) == ["ORDER", "SENT", "FAILED"]


@pytest.mark.parametrize(("filled", "last"), [("0.01", FILLED[2:]), ("0", ["FAILED"])])
def test_a_contested_order_is_told_when_it_was_decided(
    ledger: BotLedger, tmp_path: Path, filled: str, last: list[str]
) -> None:
    book(ledger, BINDING, order(state=OrderState.CONTESTED, side=Side.SELL))
    assert kinds(tmp_path) == ["ORDER", "SENT"]
    decided = OrderState.EXECUTED if D(filled) else OrderState.NOT_EXECUTED
    book(ledger, BINDING, order(state=decided, side=Side.SELL, filled=filled))
    assert kinds(tmp_path) == ["ORDER", "SENT", *last]


def test_orders_on_paper_are_not_told(ledger: BotLedger, tmp_path: Path) -> None:
    book(ledger, BINDING.model_copy(update={"mode": Mode.PAPER}), order())
    assert read(tmp_path) == []


def test_nothing_is_told_unless_it_is_switched_on(tmp_path: Path) -> None:
    for ledger in opened(tmp_path, reports=False):
        note_intent(ledger, intent())
        book(ledger, BINDING, order())
    with sqlite3.connect(ledger_path(tmp_path, "b1")) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "outbox" not in tables
    assert waiting(ledger_path(tmp_path, "b1"), None, 10) == ([], 0)
    in_memory = InMemoryStore().bot("b1")
    in_memory.open()
    book(in_memory, BINDING, order())


@pytest.mark.parametrize(
    ("given", "ticker", "told"),
    [
        (Fill(filled=D(2), average=D(10), quote_fee=D("0.3")), None, "10 20 0.3 USDT"),
        (Fill(filled=D(3), cost=D(10), base_fee=D("0.1")), None, "3.333333333333 10 0.1 BTC"),
        (
            Fill(filled=D(2), average=D(10), base_fee=D("0.1"), quote_fee=D(1)),
            None,
            "10 20 2 USDT",
        ),
        (Fill(filled=D(2), base_fee=None), D(9), "9 18 0 USDT"),
        (Fill(filled=D(2)), None, "0 0 0 USDT"),
    ],
    ids=["fee in quote", "no average", "fees in both", "settled by balance", "no price at all"],
)
def test_what_is_told_of_a_fill(
    ledger: BotLedger, tmp_path: Path, given: Fill, ticker: Decimal | None, told: str
) -> None:
    filled = order().model_copy(update={"fill": given, "price": ticker})
    book(ledger, BINDING, filled)
    found = body(tmp_path, ReportKind.EXECUTION)
    price, quote_qty, fee, asset = told.split()
    assert [D(found[name]) for name in ("price", "quote_qty", "fee")] == [
        D(price),
        D(quote_qty),
        D(fee),
    ]
    assert found["fee_asset"] == asset


def test_the_exchange_s_own_id_goes_along(ledger: BotLedger, tmp_path: Path) -> None:
    given = fill().model_copy(update={"exchange_id": "5476"})
    book(ledger, BINDING, order().model_copy(update={"fill": given}))
    found = body(tmp_path, ReportKind.EXECUTION)
    assert (found["exchange_order_id"], found["exchange_trade_id"]) == ("5476", "c1")


def test_rows_behind_a_mark(ledger: BotLedger, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        book(ledger, BINDING, order(number))
    whole = read(tmp_path)
    assert [row.mark.order_id for row in whole] == ["c1"] * 4 + ["c2"] * 4 + ["c3"] * 4
    assert read(tmp_path, whole[4].mark, 3) == whole[5:8]
    assert read(tmp_path, whole[-1].mark) == []


def test_a_ledger_that_was_exchanged_is_told_from_its_beginning(
    ledger: BotLedger, tmp_path: Path
) -> None:
    book(ledger, BINDING, order(1))
    whole = read(tmp_path)
    assert read(tmp_path, Mark("another", ReportKind.EXECUTION)) == whole
    assert read(tmp_path, Mark("c1", ReportKind.FAILED)) == whole


def test_a_row_that_a_power_loss_took_was_told_all_the_same(
    ledger: BotLedger, tmp_path: Path
) -> None:
    note_intent(ledger, intent())
    told = read(tmp_path)[1].mark
    ledger.connection.execute("DELETE FROM outbox")
    book(ledger, BINDING, order())
    assert [row.mark.kind.value for row in read(tmp_path, told)] == FILLED[2:]


def test_a_row_that_nobody_can_read_is_a_fault(ledger: BotLedger, tmp_path: Path) -> None:
    book(ledger, BINDING, order(1))
    ledger.connection.execute("UPDATE outbox SET kind='SOLD' WHERE seq=3")
    with pytest.raises(LedgerFailed, match="row 3 of the outbox"):
        read(tmp_path)


def test_a_failed_booking_tells_nothing(ledger: BotLedger, tmp_path: Path) -> None:
    ledger.connection.execute("DROP TABLE position")
    with pytest.raises(LedgerFailed):
        book(ledger, BINDING, order())
    assert read(tmp_path) == []


@pytest.mark.parametrize(
    "shape",
    [
        "(order_id TEXT, kind TEXT, body TEXT, more TEXT NOT NULL, UNIQUE (order_id, kind))",
        "(seq INTEGER PRIMARY KEY, of_order TEXT)",
    ],
)
def test_an_outbox_of_another_service_costs_the_report_and_never_the_booking(
    ledger: BotLedger, shape: str
) -> None:
    ledger.connection.execute(f"CREATE TABLE outbox {shape}")
    assert book(ledger, BINDING, order()).tracked > 0
    assert ledger.position(BINDING).tracked > 0
    assert ledger.reported == 0


@pytest.mark.parametrize("refused", [True, False])
def test_an_outbox_is_bounded_while_reports_are_refused_and_keeps_whole_orders(
    ledger: BotLedger, tmp_path: Path, refused: bool
) -> None:
    deliveries = DeliveriesFile(tmp_path)
    deliveries.open()
    deliveries.refused("POST /orders: HTTP 404" if refused else None)
    count = MOST_REFUSED // 4 * 2
    for number in range(count):
        book(ledger, BINDING, order(number))
    kept = read(tmp_path, most=10_000)
    if not refused:
        assert len(kept) == 4 * count
    assert len(kept) <= MOST_REFUSED + 4 or not refused
    whole = [row.mark.kind.value for row in kept]
    assert whole == FILLED * (len(kept) // 4)
    assert kept[-1].mark.order_id == f"c{count - 1}"
    deliveries.close()


def test_a_damaged_file_of_deliveries_costs_no_booking(ledger: BotLedger, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, but longer than a header of one " * 100)
    count = MOST_REFUSED // 4 + 2
    for number in range(count):
        book(ledger, BINDING, order(number))
    assert len(read(tmp_path, most=10_000)) == 4 * count


def test_a_locked_file_of_deliveries_holds_no_booking_up_and_costs_no_report(
    ledger: BotLedger, tmp_path: Path
) -> None:
    deliveries = DeliveriesFile(tmp_path)
    deliveries.open()
    deliveries.refused("POST /orders: HTTP 404")
    deliveries.close()
    full = MOST_REFUSED // 4 + 1
    for number in range(full - 1):
        book(ledger, BINDING, order(number))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerUnavailable, match="locked"):
            takes_reports(tmp_path, timeout=0.0)
        began = time.monotonic()
        for number in range(full, full + 6):
            book(ledger, BINDING, order(number))
        assert time.monotonic() - began < 5.0  # SQLite itself would wait 1 s each
    kept = [row.mark.order_id for row in read(tmp_path, most=10_000)]
    assert set(kept) == {f"c{number}" for number in (*range(full - 1), *range(full, full + 6))}


def test_write_that_leaves_the_same_time_and_size_as_the_one_before_is_seen(
    ledger: BotLedger, tmp_path: Path
) -> None:
    files = [ledger_path(tmp_path, "b1"), ledger_path(tmp_path, "b1").with_suffix(".db-wal")]
    written = max(path.stat().st_mtime for path in files)
    outboxes = LedgerOutboxes(tmp_path)
    with installed(SimulatedClock(datetime.fromtimestamp(written + 0.005, timezone.utc))):
        assert outboxes.changed() == [outboxes.name_of("b1")]
        assert outboxes.changed() == [outboxes.name_of("b1")]
    with installed(SimulatedClock(datetime.fromtimestamp(written + 1, timezone.utc))):
        assert outboxes.changed() == [outboxes.name_of("b1")]
        assert outboxes.changed() == []
