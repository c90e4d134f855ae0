"""Positions of an account that may be from an older state of it, as its journal keeps them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from execsvc.clock import iso
from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.model.bot import Mode
from execsvc.model.comparison import Discrepancy, OpenPosition
from execsvc.model.market import ZERO, Symbol, exact_sum
from execsvc.store.doubt import Doubt
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.account import fees
from execsvc.store.sqlite.database import extend, has_table, query, reading, transaction
from execsvc.store.sqlite.paths import ledger_path

SCHEMA = "account/account_doubts.sql"


def doubts(connection: sqlite3.Connection) -> list[Doubt]:
    """The doubts that are not decided, oldest first. Raises LedgerFailed."""
    if not has_table(connection, "doubt"):
        return []
    return [_read(row) for row in query(connection, "SELECT * FROM doubt ORDER BY rowid")]


def contested(connection: sqlite3.Connection, bot_id: str | None = None) -> list[Doubt]:
    """The doubts that wait for an operator, of all bots or of one. Raises LedgerFailed."""
    return [
        doubt
        for doubt in doubts(connection)
        if doubt.discrepancy is Discrepancy.CONTESTED and bot_id in (None, doubt.bot_id)
    ]


def keep(
    connection: sqlite3.Connection,
    found: Iterable[Doubt],
    start: str,
    compared: Iterable[str],
    decided: Mapping[str, int] | None = None,
) -> None:
    """Write the doubts that a comparison has found, and its subjects. Raises LedgerFailed.

    A position that is contested already stays so, unless it was found to be closed. ``decided``: the
    decisions before the comparison began; a doubt that was decided on since stays decided.
    """
    extend(connection, SCHEMA)
    found = list(found)
    with transaction(connection, durable=bool(found)) as tx:
        for doubt in found:
            if decided is not None and _times(tx, doubt.bot_id) != decided.get(doubt.bot_id, 0):
                _acknowledge(tx, doubt)
                continue
            tx.execute(
                "INSERT INTO doubt VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
                "verdict=excluded.verdict, detail=excluded.detail WHERE excluded.verdict='gone' "
                "AND order_at IS NULL",
                (
                    doubt.bot_id,
                    doubt.symbol,
                    doubt.discrepancy.value,
                    iso(doubt.at),
                    doubt.detail,
                    rows.time_text(doubt.order_at),
                ),
            )
        for subject in compared:
            tx.execute("INSERT OR REPLACE INTO compared VALUES (?,?)", (subject, start))


def decisions(connection: sqlite3.Connection) -> dict[str, int]:
    """The count of decisions on doubts, by bot. Raises LedgerFailed."""
    if not has_table(connection, "decided"):
        return {}
    return {row["bot_id"]: row["times"] for row in query(connection, "SELECT * FROM decided")}


def _times(tx: sqlite3.Connection, bot_id: str) -> int:
    found = tx.execute("SELECT times FROM decided WHERE bot_id=?", (bot_id,)).fetchone()
    return 0 if found is None else int(found["times"])


def _acknowledge(tx: sqlite3.Connection, doubt: Doubt) -> None:
    if doubt.order_at is not None:
        tx.execute(
            "INSERT INTO acknowledged VALUES (?,?) ON CONFLICT DO UPDATE SET "
            "order_at=max(order_at, excluded.order_at)",
            (doubt.bot_id, iso(doubt.order_at)),
        )


def is_compared(connection: sqlite3.Connection, subject: str, start: str) -> bool:
    """True once ``subject`` was compared for this start of the service. Raises LedgerFailed."""
    if not has_table(connection, "compared"):
        return False
    sql = "SELECT 1 FROM compared WHERE subject=? AND start=?"
    return bool(query(connection, sql, (subject, start)))


def decide(connection: sqlite3.Connection, bot_id: str) -> list[Doubt]:
    """Forget the doubts about ``bot_id``, as they are decided. Returns them.

    A later start must not find the same doubts again. Raises LedgerFailed.
    """
    decided = [doubt for doubt in doubts(connection) if doubt.bot_id == bot_id]
    if not decided:
        return []
    extend(connection, SCHEMA)
    with transaction(connection) as tx:
        for doubt in decided:
            _forget_expected(tx, doubt.symbol)
            _acknowledge(tx, doubt)
        tx.execute(
            "INSERT INTO decided VALUES (?,1) ON CONFLICT DO UPDATE SET times=times+1", (bot_id,)
        )
        tx.execute("DELETE FROM doubt WHERE bot_id=?", (bot_id,))
    return decided


def forget_expected(connection: sqlite3.Connection, symbol: str) -> None:
    """Expect no balance of the assets of ``symbol`` until its next fill.

    For bookings that change a position without a fill. Raises LedgerFailed.
    """
    with transaction(connection) as tx:
        _forget_expected(tx, symbol)


def _forget_expected(tx: sqlite3.Connection, symbol: str) -> None:
    for asset in Symbol.parse(symbol):
        tx.execute("DELETE FROM expected WHERE asset=?", (asset,))


def known_order(connection: sqlite3.Connection, bot_id: str) -> datetime | None:
    """The time of the newest order of ``bot_id`` that the journal knows, or an operator has acknowledged.

    None before the first. Raises LedgerFailed.
    """
    found = query(
        connection,
        "SELECT created_at FROM intent WHERE bot_id=? ORDER BY created_at DESC LIMIT 1",
        (bot_id,),
    )
    known = [rows.time(row["created_at"]) for row in found]
    if has_table(connection, "acknowledged"):
        sql = "SELECT order_at FROM acknowledged WHERE bot_id=?"
        known += [rows.time(row["order_at"]) for row in query(connection, sql, (bot_id,))]
    return max((moment for moment in known if moment is not None), default=None)


def newest_booked(connection: sqlite3.Connection, bot_id: str) -> tuple[str, datetime] | None:
    """The newest filled order of ``bot_id`` that its ledger once had, by the journal: id and time sent.

    None before the first, and when an operator has acknowledged since that the ledger lacks orders.
    Raises LedgerFailed.
    """
    found = query(
        connection,
        "SELECT client_order_id, created_at FROM intent WHERE bot_id=? AND state='EXECUTED' "
        "AND adopted=1 ORDER BY seq DESC LIMIT 1",
        (bot_id,),
    )
    sent = rows.time(found[0]["created_at"]) if found else None
    if sent is None:
        return None
    spoken = None
    if has_table(connection, "acknowledged"):
        sql = "SELECT order_at FROM acknowledged WHERE bot_id=?"
        said = query(connection, sql, (bot_id,))
        spoken = rows.time(said[0]["order_at"]) if said else None
    return None if spoken is not None and spoken >= sent else (found[0]["client_order_id"], sent)


def expected_amounts(connection: sqlite3.Connection) -> dict[str, Decimal]:
    """The balance of each asset that its last known fill left, less fees paid in the asset since.

    Without the fees a bot's coin would seem to be missing once the fees of other bots, paid in that
    coin, add up to it. Raises LedgerFailed.
    """
    amounts = {}
    for row in query(connection, "SELECT asset, amount, filled_at FROM expected"):
        filled_at = rows.time(row["filled_at"])
        assert filled_at is not None, "the column is never null"
        paid = fees.paid_in(connection, row["asset"], filled_at)
        amounts[row["asset"]] = exact_sum(rows.amount(row["amount"]), -paid)
    return amounts


def open_positions(
    connection: sqlite3.Connection, state_dir: Path, key_id: str
) -> list[OpenPosition]:
    """The open positions in the ledgers of bots that ever bought on the account, without dust.

    A damaged ledger is left out: its bot does not trade. Raises LedgerFailed for the journal of
    ``connection``, LedgerUnavailable also for a ledger.
    """
    found = []
    for bot_id in buyers(connection):
        path = ledger_path(state_dir, bot_id)
        try:
            found += _open_in_file(path, bot_id, key_id) if path.exists() else []
        except LedgerUnavailable:
            raise
        except LedgerFailed:
            continue
    return found


def buyers(connection: sqlite3.Connection) -> list[str]:
    """The bots that ever bought on the account other than to buy back a short. Raises LedgerFailed."""
    sql = "SELECT DISTINCT bot_id FROM intent WHERE side='buy' AND short=0 ORDER BY 1"
    return [row["bot_id"] for row in query(connection, sql)]


def open_in(connection: sqlite3.Connection, bot_id: str, key_id: str) -> list[OpenPosition]:
    """The open positions on the account of the bot of the database ``connection``, without dust.

    Raises LedgerFailed.
    """
    found = query(
        connection,
        "SELECT * FROM position WHERE mode=? AND key_id=?",
        (Mode.LIVE.value, key_id),
    )
    positions = [(row["symbol"], rows.position_of(row)) for row in found]
    return [
        OpenPosition(bot_id, symbol, position.tracked, position.entry_price)
        for symbol, position in positions
        if position.tracked > ZERO and not position.dust
    ]


def _open_in_file(path: Path, bot_id: str, key_id: str) -> list[OpenPosition]:
    with reading(path) as connection:
        return open_in(connection, bot_id, key_id)


def _read(row: sqlite3.Row) -> Doubt:
    at = rows.time(row["at"])
    assert at is not None, "the column is never null"
    try:
        discrepancy = Discrepancy(row["verdict"])
    except ValueError:
        discrepancy = Discrepancy.CONTESTED  # a value of a newer service: an operator decides
    return Doubt(
        bot_id=row["bot_id"],
        symbol=row["symbol"],
        discrepancy=discrepancy,
        at=at,
        detail=row["detail"],
        order_at=rows.time(row["order_at"]),
    )
