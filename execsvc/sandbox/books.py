"""The books of the sandbox's exchange, in digits that are not rounded."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from execsvc.clock import iso
from execsvc.model.market import ZERO, Symbol, plain
from execsvc.model.order import Side
from execsvc.paper.account import Movement
from execsvc.sandbox.accounts import ExchangeAccount, OrderRecord
from execsvc.sandbox.exchange import PaperExchange


class _AssetBook:
    """One asset of one account, added up from its movements and orders."""

    def __init__(self, initial: Decimal) -> None:
        self.bought = self.sold = self.fees = self.by_hand = ZERO
        self._total = self.lowest = initial
        self._ours = self.lowest_left = ZERO

    def movement(self, movement: Movement) -> None:
        self._total += movement.change
        self.lowest = min(self.lowest, self._total)
        if movement.cause.startswith("hand "):
            self.by_hand += movement.change
        else:
            self._ours += movement.change
            self.lowest_left = min(self.lowest_left, self._ours)

    def order(self, came: Decimal, went: Decimal, fee: Decimal) -> None:
        self.bought += came
        self.sold += went
        self.fees += fee

    def shown(self) -> dict[str, str]:
        return {
            "bought": plain(self.bought),
            "sold": plain(self.sold),
            "fees": plain(self.fees),
            "left": plain(self.bought - self.sold - self.fees),
            "by_hand": plain(self.by_hand),
            "lowest": plain(self.lowest),
            "lowest_left": plain(self.lowest_left),
        }


def all_books(exchange: PaperExchange, only: str | None, events: bool) -> dict[str, Any]:
    """The books of every account, or of the one with the key ``only``."""
    return {
        "accounts": {
            key_id: _account(account, events)
            for key_id, account in exchange.accounts().items()
            if only in (None, key_id)
        }
    }


def _account(account: ExchangeAccount, events: bool) -> dict[str, Any]:
    with account.lock:
        paper = account.paper
        shown = {
            "initial": {asset: plain(amount) for asset, amount in paper.initial.items()},
            "balances": {
                asset: {"free": plain(paper.free(asset)), "locked": plain(paper.locked(asset))}
                for asset in paper.assets
            },
            "assets": _assets(account),
            "orders": [_order(record) for record in account.orders],
        }
        if events:
            shown["events"] = [_event(movement) for movement in paper.movements]
        return shown


def _assets(account: ExchangeAccount) -> dict[str, dict[str, str]]:
    initial = account.paper.initial
    books = {asset: _AssetBook(initial.get(asset, ZERO)) for asset in account.paper.assets}
    for movement in account.paper.movements:
        books[movement.asset].movement(movement)
    for record in account.orders:
        if not record.filled:
            continue
        base, quote = Symbol.parse(record.symbol)
        buys = record.side is Side.BUY
        filled, cost = record.filled, record.cost
        books[base].order(filled if buys else ZERO, ZERO if buys else filled, record.base_fee)
        books[quote].order(ZERO if buys else cost, cost if buys else ZERO, record.quote_fee)
        if record.coin_fee is not None and record.coin_fee[0] in books:
            books[record.coin_fee[0]].order(ZERO, ZERO, record.coin_fee[1])
    return {asset: book.shown() for asset, book in books.items()}


def _order(record: OrderRecord) -> dict[str, Any]:
    return {
        "order_id": record.order_id,
        "client_order_id": record.client_order_id,
        "symbol": record.symbol,
        "side": record.side.value,
        "amount": plain(record.amount),
        "filled": plain(record.filled),
        "cost": plain(record.cost),
        "base_fee": plain(record.base_fee),
        "quote_fee": plain(record.quote_fee),
        "received_at": iso(record.received_at),
        "executed_at": _time(record.executed_at) if record.fills else None,
        "refused": record.refused,
        "resends": record.resends,
        "fault": record.fault,
        "answered": record.answered,
        "answered_at": _time(record.answered_at),
    }


def _event(movement: Movement) -> dict[str, Any]:
    return {
        "at": iso(movement.at),
        "cause": movement.cause,
        "asset": movement.asset,
        "before": plain(movement.free_before),
        "after": plain(movement.free_after),
        "locked_before": plain(movement.locked_before),
        "locked_after": plain(movement.locked_after),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
