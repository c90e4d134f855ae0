"""One line of a recording: its content, checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from execsvc.model.market import Level
from execsvc.model.public_trades import TradeRow

LATEST = 253_402_300_799_000
"""The end of the year 9999, in ms since the epoch: later dates do not exist."""


_DECODER = json.JSONDecoder(parse_float=Decimal)
_TOO_MUCH = Decimal("1e15")
_NUMERIC = {str, int, Decimal}


class BadLine(ValueError):
    """A malformed line; the message states the fault."""


class BookLine(NamedTuple):
    """The book from ``t`` (ms since the epoch) on, best level first."""

    t: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class TradeLine(NamedTuple):
    """A public trade at ``t`` (ms since the epoch)."""

    t: int
    row: TradeRow


Line = BookLine | TradeLine


def parse(text: str) -> Line:
    """The content of the line ``text``. Raises BadLine."""
    try:
        row = _DECODER.decode(text)
    except ValueError:
        raise BadLine("is not JSON") from None
    if not isinstance(row, dict):
        raise BadLine("is not an object")
    t = row.get("t")
    if type(t) is not int or not 0 <= t <= LATEST:
        raise BadLine("t is not a time in ms")
    if row.get("type") == "depth":
        return _book(t, row)
    if row.get("type") == "trade":
        return TradeLine(t, _trade(t, row))
    raise BadLine("type is neither depth nor trade")


def book_text(t: int, bids: Sequence[Level], asks: Sequence[Level]) -> str:
    """The line of a book."""
    sides = {
        name: [[format(level.price, "f"), format(level.amount, "f")] for level in levels]
        for name, levels in (("bids", bids), ("asks", asks))
    }
    return json.dumps({"t": t, "type": "depth", **sides}, separators=(",", ":"))


def trade_text(t: int, price: Decimal, amount: Decimal, side: str) -> str:
    """The line of a trade."""
    row = {"t": t, "type": "trade", "price": format(price, "f"), "amount": format(amount, "f")}
    return json.dumps({**row, "side": side}, separators=(",", ":"))


def _book(t: int, row: dict[str, Any]) -> BookLine:
    bids, asks = _levels(row, "bids"), _levels(row, "asks")
    bid_prices, ask_prices = [level[0] for level in bids], [level[0] for level in asks]
    if bid_prices != sorted(bid_prices, reverse=True):
        raise BadLine("bids are not sorted, best first")
    if ask_prices != sorted(ask_prices):
        raise BadLine("asks are not sorted, best first")
    if bid_prices[0] >= ask_prices[0]:
        raise BadLine("bids and asks are crossed")
    return BookLine(t, bids, asks)


def _levels(row: dict[str, Any], side: str) -> tuple[Level, ...]:
    levels = row.get(side)
    if not isinstance(levels, list) or not levels:
        raise BadLine(f"{side} is not a list of levels")
    try:
        return tuple([_level(price, amount) for price, amount in levels])
    except (TypeError, ValueError):
        raise BadLine(f"{side} holds what is no [price, amount] above zero") from None


@lru_cache(maxsize=20_000, typed=True)
def _level(price: Any, amount: Any) -> Level:
    """A level, cached, because each snapshot repeats most levels of the last one."""
    return Level(_number(price), _number(amount))


def _trade(t: int, row: dict[str, Any]) -> TradeRow:
    side = row.get("side")
    if side not in ("buy", "sell"):
        raise BadLine("side is neither buy nor sell")
    try:
        price, amount = _number(row.get("price")), _number(row.get("amount"))
    except (TypeError, ValueError):
        raise BadLine("price or amount is no number above zero") from None
    return t, price, amount, side


def _number(value: Any) -> Decimal:
    """``value`` as a number above zero. Raises TypeError, ValueError."""
    if type(value) not in _NUMERIC:
        raise TypeError("is no number")
    try:
        number = Decimal(value)
        plausible = 0 < number < _TOO_MUCH
    except InvalidOperation:  # no number, or one that compares to none
        plausible = False
    if not plausible:
        raise ValueError("is not above zero")
    return number
