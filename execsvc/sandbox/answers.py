"""Answers in the exact shapes of the ExchangeAdapterService."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from execsvc.model.market import ZERO, Depth, Limits, Symbol, Trade
from execsvc.sandbox.accounts import OrderRecord
from execsvc.sandbox.market import FeeReport


def ticker(symbol: str, price: Decimal, limits: Limits | None) -> dict[str, Any]:
    """The answer of ``GET /market/ticker``."""
    published = (
        None if limits is None else limits.model_dump(include={"min_notional", "min_amount"})
    )
    return {"symbol": symbol, "price": price, "limits": published}


def depth(book: Depth, limit: int) -> dict[str, Any]:
    """The answer of ``GET /market/depth``."""
    return {
        "symbol": book.symbol,
        "timestamp": book.timestamp,
        "best_bid": book.best_bid,
        "best_ask": book.best_ask,
        "bids": book.bids[:limit],
        "asks": book.asks[:limit],
    }


def trades(symbol: str, newest: list[Trade], limit: int) -> dict[str, Any]:
    """The answer of ``GET /market/trades``."""
    rows = newest[-limit:] if limit else []
    return {"symbol": symbol, "trades": [trade.model_dump() for trade in rows]}


def balance(
    held: Mapping[str, tuple[Decimal, Decimal]], prices: Mapping[str, Decimal]
) -> dict[str, Any]:
    """The answer of ``GET /balance/{key_id}``: the holdings, valued at ``prices``."""
    assets, sum_of_values = [], ZERO
    for asset, (free, locked) in held.items():
        value = (free + locked) * prices[asset]
        sum_of_values += value
        if free or locked:
            assets.append({"asset": asset, "free": free, "locked": locked, "usdtValue": value})
    return {"totalUsdtValue": sum_of_values, "assets": assets}


def order(record: OrderRecord, report: FeeReport) -> dict[str, Any]:
    """The answer of ``POST /order``."""
    return {
        "status": "filled",
        "order_id": record.order_id,
        "details": unified(record, report),
    }


def unified(record: OrderRecord, report: FeeReport) -> dict[str, Any]:
    """The order as ccxt writes it."""
    filled, cost = record.filled, record.cost
    executed = record.executed_at or record.received_at
    return {
        "id": record.order_id,
        "clientOrderId": record.client_order_id,
        "timestamp": int(executed.timestamp() * 1000),
        "symbol": record.symbol,
        "type": "market",
        "side": record.side.value,
        "amount": record.amount,
        "filled": filled,
        "remaining": record.amount - filled,
        "average": cost / filled if filled else None,
        "cost": cost,
        "status": "closed" if filled == record.amount else "canceled",
        **_fees(record, report),
    }


def _fees(record: OrderRecord, report: FeeReport) -> dict[str, Any]:
    if report is FeeReport.NONE:
        return {}
    if report is FeeReport.NULL or not record.filled:
        return {"fee": None, "fees": []}
    if record.coin_fee is not None:
        fee: dict[str, Any] = {"currency": record.coin_fee[0], "cost": record.coin_fee[1]}
        return {"fee": fee, "fees": [fee]}
    base, quote = Symbol.parse(record.symbol)
    paid_in_base = record.side.value == "buy" and report is FeeReport.BASE
    fee = {
        "currency": base if paid_in_base else quote,
        "cost": record.base_fee if paid_in_base else record.quote_fee,
    }
    return {"fee": fee, "fees": [fee]}
