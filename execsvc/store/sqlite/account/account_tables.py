"""The tables of one account: every order intent on it, and its expected balances."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from loguru import logger

from execsvc.clock import iso
from execsvc.errors import LedgerFailed
from execsvc.model.market import ZERO, Symbol, exact_sum, plain
from execsvc.model.order import TRANSITIONS, Fill, Intent, OrderState, Side
from execsvc.store.account_store import Turn
from execsvc.store.orders import Expected, JournalRow
from execsvc.store.sqlite import moments, rows
from execsvc.store.sqlite.account import fees, locked
from execsvc.store.sqlite.database import extend, query, transaction


class AccountTables(ABC):
    """Intents and expected balances of one account. Every method raises LedgerFailed."""

    fence = 0
    """The files have one owner at a time, by their locks: there is no older claim to be refused."""
    turn: Turn
    """The exclusive right to send an order, one bot at a time."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self._connection: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, made at the first use."""
        if self._connection is None:
            self._connection = self._connect()
            self._add_younger()
        return self._connection

    @abstractmethod
    def _connect(self) -> sqlite3.Connection:
        """A connection to the database of the account, made when there is none."""

    def _add_younger(self) -> None:
        """Add the index and the tables that an older service did not make.

        Without the index look-ups are merely slower, without moments there is wall time only.
        """
        for schema in ("account/account_buyers.sql", moments.SCHEMA, fees.SCHEMA, locked.SCHEMA):
            try:
                extend(self.connection, schema)
            except LedgerFailed as fault:
                logger.bind(key_id=self.key_id, event="ledger_failed").error("{}", fault)

    def close(self) -> None:
        """Close the database and release the turn."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.turn.close()

    def begin(self, intent: Intent, in_orders: Mapping[str, Decimal] | None = None) -> None:
        """Record an intent that is about to be sent; ``in_orders``: the locked amount of each asset."""
        if self.unsettled() is not None:
            raise LedgerFailed("another order of the account is unsettled")
        with transaction(self.connection) as tx:
            tx.execute(
                "INSERT INTO intent (client_order_id, bot_id, symbol, side, amount, reason, price, "
                "baseline_base, baseline_quote, created_at, short, state) "
                "VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    intent.client_order_id,
                    intent.bot_id,
                    intent.symbol,
                    intent.side.value,
                    plain(intent.amount),
                    intent.reason,
                    rows.text(intent.price),
                    plain(intent.baseline_base),
                    plain(intent.baseline_quote),
                    iso(intent.created_at),
                    int(intent.short),
                    OrderState.IN_FLIGHT.value,
                ),
            )
            moments.keep(tx, f"sent {intent.client_order_id}", intent.created_at)
            locked.keep(tx, intent.client_order_id, in_orders or {})

    def unknown(
        self, client_order_id: str, ended_at: datetime, at_least: Decimal, why: str
    ) -> None:
        """Record that the request ended with the outcome of the order unknown."""
        with transaction(self.connection) as tx:
            self._move(tx, client_order_id, OrderState.UNKNOWN)
            tx.execute(
                "UPDATE intent SET post_ended_at=?, at_least=?, detail=? WHERE client_order_id=?",
                (iso(ended_at), plain(at_least), why, client_order_id),
            )
            moments.keep(tx, f"ended {client_order_id}", ended_at)

    def outcome(
        self,
        client_order_id: str,
        state: OrderState,
        fill: Fill,
        at: datetime,
        detail: str = "",
        expected: dict[str, Expected] | None = None,
    ) -> None:
        """Record the outcome of an order, and the balance expected after it."""
        with transaction(self.connection) as tx:
            ended_before = self._move(tx, client_order_id, state)
            tx.execute(
                "UPDATE intent SET filled=?, average=?, cost=?, base_fee=?, quote_fee=?, "
                "exchange_id=?, settled_at=?, post_ended_at=coalesce(post_ended_at, ?), detail=?, "
                "adopted=0 WHERE client_order_id=?",
                (*rows.fill_values(fill), iso(at), iso(at), detail, client_order_id),
            )
            if fill.other_fees:
                fees.keep(tx, client_order_id, fill, at)
            for asset, entry in (expected or {}).items():
                tx.execute(
                    "INSERT INTO expected VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET "
                    "amount=excluded.amount, tolerance=excluded.tolerance, filled_at=excluded.filled_at",
                    (asset, plain(entry.amount), plain(entry.tolerance), iso(entry.filled_at)),
                )
                moments.keep(tx, f"filled {asset}", entry.filled_at)
            if expected or state is OrderState.NOT_EXECUTED:
                locked.settle(tx, client_order_id, expected or ())
            moments.keep(tx, f"decided {client_order_id}", at)
            if not state.unsettled:
                moments.keep(tx, f"ended {client_order_id}", None)
            elif not ended_before:
                moments.keep(tx, f"ended {client_order_id}", at)

    def adopted(self, client_order_id: str) -> None:
        """Record that the ledger of the bot has the outcome."""
        with transaction(self.connection) as tx:
            tx.execute("UPDATE intent SET adopted=1 WHERE client_order_id=?", (client_order_id,))
            for what in ("sent", "decided"):
                moments.keep(tx, f"{what} {client_order_id}", None)

    def unsettled(self) -> JournalRow | None:
        """The order that is in flight or unsettled, of any bot."""
        found = query(
            self.connection,
            "SELECT * FROM intent WHERE state IN ('IN_FLIGHT', 'UNKNOWN', 'ARRIVING') LIMIT 1",
        )
        return self._row(found[0]) if found else None

    def row(self, client_order_id: str) -> JournalRow:
        """The intent ``client_order_id``."""
        found = query(
            self.connection, "SELECT * FROM intent WHERE client_order_id=?", (client_order_id,)
        )
        if not found:
            raise LedgerFailed(f"order {client_order_id} is not in the journal")
        return self._row(found[0])

    def last_executed(self) -> JournalRow | None:
        """The order that executed last, by the exchange's own answer; None before the first."""
        found = query(
            self.connection,
            "SELECT * FROM intent WHERE state='EXECUTED' AND exchange_id IS NOT NULL "
            "ORDER BY seq DESC LIMIT 1",
        )
        return self._row(found[0]) if found else None

    def to_adopt(self, bot_id: str) -> list[JournalRow]:
        """Settled orders of ``bot_id`` that its own ledger has not taken yet, oldest first."""
        found = query(
            self.connection,
            "SELECT * FROM intent WHERE bot_id=? AND adopted=0 AND state NOT IN "
            "('IN_FLIGHT', 'UNKNOWN', 'ARRIVING') ORDER BY seq",
            (bot_id,),
        )
        return [self._row(row) for row in found]

    def contested(self, bot_id: str) -> list[JournalRow]:
        """Orders of ``bot_id`` that wait for an operator's decision, oldest first."""
        found = query(
            self.connection,
            "SELECT * FROM intent WHERE bot_id=? AND state='CONTESTED' ORDER BY seq",
            (bot_id,),
        )
        return [self._row(row) for row in found]

    def tracked_by_all(self, asset: str) -> Decimal:
        """Base units of ``asset`` that the account's bots track, with fills not yet in their ledgers.

        To be called by the holder of the turn. Raises LedgerFailed while the quantity is not certain:
        a ledger cannot be read, or a buy waits for the decision of an operator.
        """
        return exact_sum(self._tracked(asset), self._not_in_ledgers(asset))

    def not_to_be_spent(self, coin: str) -> Decimal:
        """Units of ``coin`` that bots of this account hold as a position, of the account's free balance.

        For the holder of the turn. Only ledgers of bots that ever bought ``coin`` here are opened: for
        the quote of most markets there is none. Raises LedgerFailed as :meth:`tracked_by_all` does.
        """
        buyers = self._buyers(coin)
        if not buyers:
            return ZERO
        return exact_sum(self._tracked_by(buyers, coin), self._not_in_ledgers(coin))

    @abstractmethod
    def _tracked(self, asset: str) -> Decimal:
        """Base units of ``asset`` that bots track on the account by their own records."""

    @abstractmethod
    def _tracked_by(self, bot_ids: Iterable[str], asset: str) -> Decimal:
        """As :meth:`_tracked`, of ``bot_ids`` alone; a bot without records tracks nothing."""

    def _buyers(self, coin: str) -> list[str]:
        """The bots that ever bought ``coin`` here, whether they still hold it or not."""
        found = query(
            self.connection,
            "SELECT DISTINCT bot_id FROM intent WHERE side='buy' AND short=0 "
            "AND symbol >= ? AND symbol < ?",
            (f"{coin}/", f"{coin}0"),  # "0" is the character after "/"
        )
        return [row["bot_id"] for row in found]

    def _not_in_ledgers(self, asset: str) -> Decimal:
        """Base units of ``asset`` from settled buys that the ledgers of their bots have not booked yet."""
        total = ZERO
        found = query(
            self.connection,
            "SELECT * FROM intent WHERE side='buy' AND short=0 AND (adopted=0 OR state='CONTESTED')",
        )
        for row in map(self._row, found):
            if Symbol.parse(row.intent.symbol).base != asset:
                continue
            if row.state is OrderState.CONTESTED:
                raise LedgerFailed(f"order {row.intent.client_order_id} is contested")
            total = exact_sum(total, row.fill.base_change(Side.BUY))
        return total

    def expected(self, asset: str) -> Expected | None:
        """The balance of ``asset`` that the account should hold; None before the first fill."""
        found = query(self.connection, "SELECT * FROM expected WHERE asset=?", (asset,))
        if not found:
            return None
        filled_at = rows.time(found[0]["filled_at"])
        assert filled_at is not None
        return Expected(
            amount=rows.amount(found[0]["amount"]),
            tolerance=rows.amount(found[0]["tolerance"]),
            filled_at=filled_at,
            filled=moments.of(self.connection, f"filled {asset}", filled_at),
        )

    def _move(self, tx: sqlite3.Connection, client_order_id: str, to: OrderState) -> bool:
        """Record the state; True when the end of the request is recorded already."""
        found = tx.execute(
            "SELECT state, post_ended_at FROM intent WHERE client_order_id=?", (client_order_id,)
        ).fetchone()
        if found is None or to not in TRANSITIONS[OrderState(found["state"])]:
            before = None if found is None else found["state"]
            raise LedgerFailed(f"order {client_order_id} cannot go from {before} to {to.value}")
        tx.execute("UPDATE intent SET state=? WHERE client_order_id=?", (to.value, client_order_id))
        return found["post_ended_at"] is not None

    def _row(self, row: sqlite3.Row) -> JournalRow:
        try:
            return self._read_row(row)
        except ValueError as error:
            raise LedgerFailed(f"order {row['client_order_id']} is unreadable: {error}") from error

    def _read_row(self, row: sqlite3.Row) -> JournalRow:
        created_at = rows.time(row["created_at"])
        assert created_at is not None
        order_id, connection = row["client_order_id"], self.connection
        ended_at, settled_at = rows.time(row["post_ended_at"]), rows.time(row["settled_at"])
        return JournalRow(
            intent=Intent(
                client_order_id=order_id,
                bot_id=row["bot_id"],
                key_id=self.key_id,
                symbol=row["symbol"],
                side=Side(row["side"]),
                amount=rows.amount(row["amount"]),
                reason=row["reason"],
                price=rows.decimal(row["price"]),
                baseline_base=rows.amount(row["baseline_base"]),
                baseline_quote=rows.amount(row["baseline_quote"]),
                created_at=created_at,
                short=bool(row["short"]),
            ),
            state=OrderState(row["state"]),
            post_ended_at=ended_at,
            at_least=rows.amount(row["at_least"]),
            fill=rows.fill_of(row),
            settled_at=settled_at,
            detail=row["detail"],
            sent=moments.of(connection, f"sent {order_id}", created_at),
            ended=ended_at and moments.of(connection, f"ended {order_id}", ended_at),
            decided=settled_at and moments.of(connection, f"decided {order_id}", settled_at),
        )
