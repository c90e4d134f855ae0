"""The reports of a bot's orders to BotService: rows of the bot's own ledger, in their order.

Each row is written once, with its content, by the ledger's one writer. The process that delivers the
rows only reads them, and records its progress in a file of its own
(:mod:`execsvc.store.sqlite.service.deliveries`).
"""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel

from execsvc.clock import iso, now
from execsvc.errors import LedgerFailed
from execsvc.logs import bound
from execsvc.masking import masked
from execsvc.model.market import ZERO, Symbol, exact_sum, round_down
from execsvc.model.order import Intent, OrderState
from execsvc.model.order_report import ExecutionReport, OrderReport, ReportKind
from execsvc.store.orders import OrderRow
from execsvc.store.outbox import Mark, OutboxRow
from execsvc.store.sqlite.bot.bot_tables import BotTables
from execsvc.store.sqlite.database import apart, query, reading, transaction

_DECIMALS = 12
"""Decimals of a price, or a sum in quote, that had to be computed."""
MOST_REFUSED = 400
"""The approximate number of rows of one bot that are kept while BotService does not take reports."""
_Bodies = dict[ReportKind, BaseModel | None]


def note_intent(ledger: BotTables, intent: Intent) -> None:
    """Write down that an order is about to be sent. Raises LedgerFailed.

    Not durable, as the order must not wait for another write to the disk: a row that a power loss
    takes is written again when the order is booked.
    """
    if not ledger.reports:
        return
    with transaction(ledger.connection, durable=False) as tx:
        noted = _note(tx, intent.client_order_id, _beginning(intent))
    ledger.reported += noted


def note_order(ledger: BotTables, tx: sqlite3.Connection, order: OrderRow) -> int:
    """Write down the outcome of an order, in the transaction that books it.

    The outcome of a contested order is reported once it was decided. Returns the count of new rows.
    An outbox of another schema, left by a newer service, prevents the report and never the booking.
    """
    if not ledger.reports:
        return 0
    bodies = _beginning(order)
    if order.state is OrderState.EXECUTED:
        bodies |= {ReportKind.EXECUTION: _execution(order), ReportKind.FILLED: None}
    elif order.state is OrderState.NOT_EXECUTED:
        bodies[ReportKind.FAILED] = None
    try:
        with apart(tx):
            noted = _note(tx, order.client_order_id, bodies)
            _forget_oldest(ledger, tx)
            return noted
    except LedgerFailed as fault:
        if not _has_no_place(fault.__cause__):
            raise
        event = bound(order.bot_id).bind(event="report_failed", order_id=order.client_order_id)
        event.error("order {} is booked and not reported: {}", order.client_order_id, fault)
        return 0


def waiting(path: Path, after: Mark | None, most: int) -> tuple[list[OutboxRow], int]:
    """The first ``most`` rows of the ledger at ``path`` after ``after``, and the count of all of them.

    A ledger without the row ``after`` is not the one that earlier rows were delivered from (that one
    was moved away, or an older one was put back): all its rows wait. Raises LedgerFailed.
    """
    with reading(path) as connection:
        if not query(connection, "SELECT 1 FROM sqlite_master WHERE name='outbox'"):
            return [], 0
        seq = 0 if after is None else _place(connection, after)
        count = query(connection, "SELECT count(*) FROM outbox WHERE seq > ?", (seq,))[0][0]
        found = query(
            connection, "SELECT * FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", (seq, most)
        )
    return [_row(row) for row in found], count


def order_report(path: Path, order_id: str) -> str:
    """JSON of the OrderReport that the outbox of the ledger at ``path`` has. Raises LedgerFailed."""
    with reading(path) as connection:
        found = query(
            connection,
            "SELECT body FROM outbox WHERE order_id=? AND kind=?",
            (order_id, ReportKind.ORDER.value),
        )
    if not found:
        raise LedgerFailed(f"the outbox does not have the order {order_id} any more")
    text: str = found[0]["body"]
    return text


def _has_no_place(fault: BaseException | None) -> bool:
    """True for a fault of the table, which never takes the row; others, as a full disk, may pass."""
    named = isinstance(fault, (sqlite3.IntegrityError, sqlite3.OperationalError))
    return named and "outbox" in str(fault)


def _place(connection: sqlite3.Connection, mark: Mark) -> int:
    found = query(
        connection,
        "SELECT seq FROM outbox WHERE order_id=? AND kind=?",
        (mark.order_id, mark.kind.value),
    )
    place: int = found[0]["seq"] if found else 0
    return place


def _row(row: sqlite3.Row) -> OutboxRow:
    try:
        mark = Mark(row["order_id"], ReportKind(row["kind"]))
    except ValueError as error:
        raise LedgerFailed(f"row {row['seq']} of the outbox is unreadable: {error}") from error
    return OutboxRow(mark, row["body"])


def _note(tx: sqlite3.Connection, order_id: str, bodies: _Bodies) -> int:
    """Add the rows that are not there yet. Returns their count."""
    tx.execute(_table())
    noted = 0
    for kind, body in bodies.items():
        text = "null" if body is None else body.model_dump_json()
        noted += tx.execute(
            "INSERT INTO outbox (order_id, kind, body) VALUES (?,?,?) ON CONFLICT DO NOTHING",
            (order_id, kind.value, text),
        ).rowcount
    return noted


def _forget_oldest(ledger: BotTables, tx: sqlite3.Connection) -> None:
    """Forget the oldest orders once many wait for a BotService that does not take reports."""
    found = tx.execute("SELECT max(seq) - min(seq) AS span, max(seq) AS newest FROM outbox")
    span, newest = found.fetchone()
    if span is None or span < MOST_REFUSED or not ledger.reports_are_refused():
        return
    tx.execute(
        "DELETE FROM outbox WHERE order_id NOT IN (SELECT order_id FROM outbox WHERE seq > ?)",
        (newest - MOST_REFUSED // 2,),
    )


@cache
def _table() -> str:
    return resources.files(__package__).joinpath("outbox.sql").read_text()


def _beginning(order: Intent | OrderRow) -> _Bodies:
    report = OrderReport(
        bot_id=order.bot_id,
        symbol=order.symbol,
        side=order.side.name,
        quantity=order.amount,
        reason=masked(order.reason),
        timestamp=iso(order.created_at),
    )
    return {ReportKind.ORDER: report, ReportKind.SENT: None}


def _execution(order: OrderRow) -> ExecutionReport:
    fill = order.fill
    price = fill.price or order.price or ZERO
    fee, fee_asset = _fee(order, price)
    return ExecutionReport(
        exchange_trade_id=order.client_order_id,
        exchange_order_id=fill.exchange_id or order.client_order_id,
        symbol=order.symbol,
        side=order.side.name,
        price=round_down(price, _DECIMALS),
        quantity=fill.filled,
        quote_qty=fill.cost or round_down(price * fill.filled, _DECIMALS),
        fee=fee,
        fee_asset=fee_asset,
        timestamp=iso(order.settled_at or now()),
    )


def _fee(order: OrderRow, price: Decimal) -> tuple[Decimal, str]:
    """The fee and its asset: the one in which it was taken, quote when it was taken in both."""
    base, quote = Symbol.parse(order.symbol)
    in_base, in_quote = order.fill.base_fee or ZERO, order.fill.quote_fee
    if in_base and not in_quote:
        return in_base, base
    return exact_sum(in_quote, round_down(in_base * price, _DECIMALS)), quote
