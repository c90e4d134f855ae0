"""The tables of one bot that its other tables depend on: position, state, limits, log."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from decimal import Decimal
from typing import Any

from loguru import logger

from execsvc.clock import Moment, iso
from execsvc.errors import LedgerFailed
from execsvc.masking import masked
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, Limits, plain
from execsvc.model.position import Position
from execsvc.store.sqlite import moments, rows
from execsvc.store.sqlite.database import extend, query, transaction
from execsvc.store.sqlite.lock_wait import SLICE

YOUNGER = (
    "bot/results.sql",
    "bot/guards.sql",
    "bot/size_answers.sql",
    "moments.sql",
    "bot/missing.sql",
)
"""Tables that a ledger of an older service lacks."""
_STRATEGY_TIME, _ALARM = "strategy time", "alarm"


class BotTables:
    """Position, strategy state, limits and execution log of one bot, on an open connection.

    Every method raises LedgerFailed when the database cannot be read or written. With ``reports``
    the reports of orders to BotService are kept as well (:mod:`execsvc.store.sqlite.bot.outbox`).
    """

    reported = 0
    """Rows that this process has put in the outbox."""

    def __init__(self, bot_id: str, reports: bool = False) -> None:
        self.bot_id = bot_id
        self.reports = reports
        self._connection: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The open connection, for the other modules of this folder."""
        assert self._connection is not None, "the ledger is not open"
        return self._connection

    def reports_are_refused(self) -> bool:
        """True when BotService is known not to take reports."""
        return False

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Work on ``connection``, and add the tables that an older service did not make.

        A failure to add them is no error, as an exit must be booked all the same.
        """
        self._connection = connection
        for schema in YOUNGER:
            try:
                extend(connection, schema)
            except LedgerFailed as fault:
                logger.bind(bot_id=self.bot_id, event="ledger_failed").error("{}", fault)

    def _end(self) -> None:
        """Close the connection, if it is open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def binding(self) -> Binding | None:
        """The binding of the last run of the bot; None when it never ran."""
        row = query(self.connection, "SELECT * FROM bot")[0]
        return None if row["mode"] is None else rows.binding_of(row)

    def bind(self, binding: Binding, precision: int | None) -> None:
        """Record the binding of the run that begins, and the quantity precision of its strategy."""
        with transaction(self.connection) as tx:
            tx.execute(
                "UPDATE bot SET mode=?, key_id=?, symbol=?, strategy=?, precision=?",
                (binding.mode.value, binding.key_id, binding.symbol, binding.strategy, precision),
            )

    def precision(self) -> int | None:
        """The quantity precision of the strategy that ran last."""
        value: int | None = query(self.connection, "SELECT precision FROM bot")[0]["precision"]
        return value

    def position(self, binding: Binding) -> Position:
        """The position of the bot under the mode, key and symbol of ``binding``."""
        found = query(
            self.connection,
            "SELECT * FROM position WHERE mode=? AND key_id=? AND symbol=?",
            (binding.mode.value, binding.key_id, binding.symbol),
        )
        return rows.position_of(found[0]) if found else Position()

    def open_positions(self) -> list[tuple[Binding, Position]]:
        """Every position that is not flat, with the binding under which it was opened."""
        found = query(self.connection, "SELECT * FROM position")
        pairs = [(rows.binding_of(row), rows.position_of(row)) for row in found]
        return [(binding, position) for binding, position in pairs if not position.is_flat]

    def keep_position(self, binding: Binding, position: Position) -> None:
        """Record ``position`` outside an order: dust, coins gone, a short dropped."""
        with transaction(self.connection) as tx:
            store_position(tx, binding, position)

    def state(self, strategy: str) -> str | None:
        """The kept state of ``strategy``, as JSON; None when it kept none."""
        found = query(
            self.connection, "SELECT state FROM strategy_state WHERE strategy=?", (strategy,)
        )
        return found[0]["state"] if found else None

    def keep_state(self, strategy: str, state: str | None, at: Moment | None = None) -> None:
        """Record the state of ``strategy``, as JSON; None forgets it. ``at``: the strategy's own time.

        Not durable, as this happens every tick; a state that belongs to an order is durable with it.
        """
        with transaction(self.connection, durable=False) as tx:
            store_state(tx, strategy, state)
            if at is not None:
                moments.store(tx, _STRATEGY_TIME, at)
            elif state is None:
                moments.keep(tx, _STRATEGY_TIME, None)

    def strategy_time(self) -> Moment | None:
        """The newest moment of the strategy's own time that was kept, None before the first."""
        return moments.kept(self.connection, _STRATEGY_TIME)

    def limits(self, key_id: str, symbol: str) -> Limits:
        """The limits seen last for ``symbol``; all of them unknown when none were ever seen."""
        row = self._market(key_id, symbol)
        if row is None:
            return Limits()
        return Limits(
            min_amount=rows.decimal(row["min_amount"]),
            min_notional=rows.decimal(row["min_notional"]),
        )

    def keep_limits(self, key_id: str, symbol: str, limits: Limits) -> None:
        """Record the limits of ``symbol``, for sells while no ticker can be had."""
        values = (rows.text(limits.min_amount), rows.text(limits.min_notional))
        with transaction(self.connection) as tx:
            tx.execute(
                "INSERT INTO market (key_id, symbol, min_amount, min_notional) VALUES (?,?,?,?) "
                "ON CONFLICT DO UPDATE SET min_amount=excluded.min_amount, "
                "min_notional=excluded.min_notional",
                (key_id, symbol, *values),
            )

    def paper_balance(self, key_id: str, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Virtual base and quote of a PAPER bot; None before its first order."""
        found = query(
            self.connection,
            "SELECT base, quote FROM paper_balance WHERE key_id=? AND symbol=?",
            (key_id, symbol),
        )
        if not found:
            return None
        return rows.amount(found[0]["base"]), rows.amount(found[0]["quote"])

    def failing(self) -> tuple[datetime | None, Moment | None]:
        """The time since which liquidation has been failing, and the time of its last alarm."""
        row = query(self.connection, "SELECT failing_since, alarmed_at FROM bot")[0]
        alarmed_at = rows.time(row["alarmed_at"])
        said = None if alarmed_at is None else moments.of(self.connection, _ALARM, alarmed_at)
        return rows.time(row["failing_since"]), said

    def keep_failing(self, since: datetime | None, alarmed_at: datetime | None) -> None:
        """Record the time since which liquidation has been failing, and the time of its last alarm."""
        with transaction(self.connection) as tx:
            tx.execute(
                "UPDATE bot SET failing_since=?, alarmed_at=?",
                (rows.time_text(since), rows.time_text(alarmed_at)),
            )
            moments.keep(tx, _ALARM, alarmed_at)

    def log(self, at: datetime, event: str, text: str, data: dict[str, Any]) -> None:
        """Add a row to the execution log; no money depends on it, so the wait for a lock is short."""
        with transaction(self.connection, durable=False, timeout=SLICE) as tx:
            tx.execute(
                "INSERT INTO log (at, event, text, data) VALUES (?,?,?,?)",
                (iso(at), event, masked(text), masked(json.dumps(data, default=str))),
            )

    def _market(self, key_id: str, symbol: str) -> sqlite3.Row | None:
        found = query(
            self.connection,
            "SELECT * FROM market WHERE key_id=? AND symbol=?",
            (key_id, symbol),
        )
        return found[0] if found else None


def store_position(tx: sqlite3.Connection, binding: Binding, position: Position) -> None:
    """Write ``position`` within a transaction."""
    tx.execute(
        "INSERT INTO position (mode, key_id, symbol, strategy, tracked, sold_short, entry_price, "
        "opened_at, dust) VALUES (?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT DO UPDATE SET strategy=excluded.strategy, tracked=excluded.tracked, "
        "sold_short=excluded.sold_short, entry_price=excluded.entry_price, "
        "opened_at=excluded.opened_at, dust=excluded.dust",
        (
            binding.mode.value,
            binding.key_id,
            binding.symbol,
            binding.strategy,
            plain(position.tracked),
            plain(position.sold_short),
            rows.text(position.entry_price),
            rows.time_text(position.opened_at),
            int(position.dust and position.tracked > ZERO),
        ),
    )


def store_state(tx: sqlite3.Connection, strategy: str, state: str | None) -> None:
    """Write a strategy's state within a transaction; None forgets it."""
    if state is None:
        tx.execute("DELETE FROM strategy_state WHERE strategy=?", (strategy,))
        return
    tx.execute(
        "INSERT INTO strategy_state VALUES (?,?) ON CONFLICT DO UPDATE SET state=excluded.state",
        (strategy, state),
    )
