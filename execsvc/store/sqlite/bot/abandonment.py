"""A position that an operator gives up: booked as abandoned, without any read of the account.

For a bot whose reads and orders can never succeed: a revoked key, a delisted pair.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime

from execsvc.clock import seconds_since
from execsvc.model.bot import Mode
from execsvc.model.market import ZERO
from execsvc.model.order import Fill, OrderState
from execsvc.model.position import Position
from execsvc.store.abandoned import Abandoned
from execsvc.store.orders import JournalRow
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.account import doubts
from execsvc.store.sqlite.account.account_records import AccountRecords
from execsvc.store.sqlite.bot import size_answers
from execsvc.store.sqlite.bot.abandoned import SCHEMA, store
from execsvc.store.sqlite.bot.booking import book, contested_keys
from execsvc.store.sqlite.bot.bot_tables import BotTables, store_position
from execsvc.store.sqlite.database import extend, query, transaction

Accounts = Iterable[AbstractContextManager[AccountRecords]]
"""Accounts of a bot, each opened for the length of a block."""


def abandon(ledger: BotTables, accounts: Accounts, at: datetime) -> list[Abandoned]:
    """Give up all positions of the bot, and decide its open orders by the facts known of them.

    An order of unknown outcome counts as filled by the lower bound that its answer named, a
    contested one as it was booked. ``accounts`` are those of :func:`accounts_of`. For the owner of the
    ledger. Raises LedgerFailed.
    """
    for account in accounts:
        with account as journal:
            _decide_orders(ledger, journal, at)
            doubts.decide(journal.connection, ledger.bot_id)
            for binding, _ in ledger.open_positions():
                doubts.forget_expected(journal.connection, binding.symbol)
            journal.release_done(ledger.bot_id)
    extend(ledger.connection, SCHEMA)
    size_answers.forget(ledger.connection)
    given_up = []
    with transaction(ledger.connection) as tx:
        for row in query(tx, "SELECT * FROM position"):
            binding, position = rows.binding_of(row), rows.position_of(row)
            if position.tracked == ZERO and position.sold_short == ZERO:
                continue
            store_position(tx, binding, Position())
            given_up.append(
                Abandoned(
                    at=at,
                    mode=binding.mode,
                    key_id=binding.key_id,
                    symbol=binding.symbol,
                    tracked=position.tracked,
                    sold_short=position.sold_short,
                )
            )
        store(tx, given_up)
        tx.execute("UPDATE position SET gap_since=NULL")
        tx.execute("UPDATE bot SET failing_since=NULL, alarmed_at=NULL")
        tx.execute("DELETE FROM strategy_state")
    return given_up


def still_possible(ledger: BotTables, accounts: Accounts, longest: float) -> float:
    """Seconds for which an open order of the bot may still execute, 0 without one.

    ``longest``: seconds after its intent within which an order executes, or not at all.
    Raises LedgerFailed.
    """
    left = 0.0
    for account in accounts:
        with account as journal:
            row = journal.unsettled()
            if row is not None and row.intent.bot_id == ledger.bot_id:
                left = max(left, longest - seconds_since(row.sent))
    return left


def accounts_of(ledger: BotTables) -> list[str]:
    """The accounts on which an order of the bot may be open or contested. Raises LedgerFailed."""
    bound = ledger.binding()
    keys = {bound.key_id} if bound is not None else set()
    keys |= {binding.key_id for binding, _ in ledger.open_positions()}
    keys |= set(contested_keys(ledger.connection))
    return sorted(keys)


def _decide_orders(ledger: BotTables, journal: AccountRecords, at: datetime) -> None:
    open_order = journal.unsettled()
    if open_order is not None and open_order.intent.bot_id == ledger.bot_id:
        _decide(journal, open_order, _known_fill(open_order), at)
    for row in journal.contested(ledger.bot_id):
        _decide(journal, row, row.fill, at)
    bound = ledger.binding()
    assert bound is not None, "a bot with orders has run"
    for row in journal.to_adopt(ledger.bot_id):
        place = {"mode": Mode.LIVE, "key_id": journal.key_id, "symbol": row.intent.symbol}
        book(ledger, bound.model_copy(update=place), row.order())
        journal.adopted(row.intent.client_order_id)


def _known_fill(row: JournalRow) -> Fill:
    if row.state is OrderState.ARRIVING:
        return row.fill
    return Fill(filled=row.at_least, average=row.intent.price if row.at_least else None)


def _decide(journal: AccountRecords, row: JournalRow, fill: Fill, at: datetime) -> None:
    state = OrderState.EXECUTED if fill.filled > ZERO else OrderState.NOT_EXECUTED
    detail = "abandoned by an operator: nothing more is known of it"
    journal.outcome(row.intent.client_order_id, state, fill, at, detail)
