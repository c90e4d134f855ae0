"""Answers about a market, checked once as they are written and turned into Decimals when they are touched.

An answer of the usual form is checked here, in bulk. Any other one is left to the models, which take it or
name its fault: the same answers are taken as by the models alone, with the same values.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import chain
from operator import itemgetter
from typing import Any

from execsvc.model.levels import LevelRows
from execsvc.model.market import LARGEST, MOST_DIGITS, SMALLEST, Depth
from execsvc.model.public_trades import USUAL_SIDES, PublicTrades, RowNumbers, TradeRow
from execsvc.model.stamps import is_in_milliseconds

_DECODER = json.JSONDecoder(parse_float=str)
"""Leaves a number with a fraction as it is written."""
_WRITTEN = {str, int}
_LENGTHS = {2, 3, 4}
"""The lengths of a level: Kraken adds a stamp, OKX a zero and the number of orders."""
_members = itemgetter("timestamp", "price", "amount", "side")


class Unusual(Exception):
    """An answer of another than the usual form, which may be right all the same."""


def check_depth(body: bytes, symbol: str) -> tuple[int | None, LevelRows, LevelRows]:
    """The stamp, the bids and the asks of an answer for ``symbol``, checked. Raises Unusual."""
    content = _content(body, symbol)
    stamp = content.get("timestamp")
    if stamp is not None:
        _check_stamps([stamp])
    try:
        bids, asks = content["bids"], content["asks"]
        bid_prices, ask_prices = _check_side(bids), _check_side(asks)
    except (KeyError, TypeError, ArithmeticError) as error:
        raise Unusual from error
    if bid_prices != sorted(bid_prices, reverse=True) or ask_prices != sorted(ask_prices):
        raise Unusual
    if bid_prices[0] >= ask_prices[0]:
        raise Unusual
    return stamp, LevelRows(bids), LevelRows(asks)


def depth_of(symbol: str, stamp: int | None, bids: LevelRows, asks: LevelRows) -> Depth:
    """The book of a checked answer."""
    return Depth.model_construct(symbol=symbol, timestamp=stamp, bids=bids, asks=asks)


def check_trades(body: bytes, symbol: str, numbers: RowNumbers) -> list[TradeRow]:
    """The rows of an answer for ``symbol``, checked as far as the last answer did not have them.

    Raises Unusual.
    """
    content = _content(body, symbol)
    try:
        listed = content["trades"]
        if type(listed) is not list or not listed or set(map(type, listed)) != {dict}:
            raise Unusual
        rows: list[TradeRow] = list(map(_members, listed))
        stamps, prices, amounts, sides = zip(*rows, strict=True)
        if not set(map(type, chain(prices, amounts))) <= _WRITTEN or not set(sides) <= USUAL_SIDES:
            raise Unusual
        _check_stamps(stamps)
        known = numbers.overlap(rows)
        _plausible([*prices[known:], *amounts[known:]])
    except (KeyError, TypeError, ArithmeticError) as error:
        raise Unusual from error
    return rows


def trades_of(rows: list[TradeRow], numbers: RowNumbers) -> PublicTrades:
    """The trades of the next checked answer, numbered after those of the last one."""
    numbers.follow(rows)
    return PublicTrades(rows, numbers, numbers.first)


def _content(body: bytes, symbol: str) -> dict[str, Any]:
    try:
        content = _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Unusual from error
    if type(content) is not dict or content.get("symbol") != symbol:
        raise Unusual
    return content


def _check_side(levels: Any) -> list[Decimal]:
    """The prices of one side. Raises Unusual, TypeError, ArithmeticError."""
    if type(levels) is not list or not levels or set(map(type, levels)) != {list}:
        raise Unusual
    if not set(map(len, levels)) <= _LENGTHS:
        raise Unusual
    prices, amounts, *_ = zip(*levels)  # noqa: B905 - a level may have an addition
    if not set(map(type, chain(prices, amounts))) <= _WRITTEN:
        raise Unusual
    numbers = _plausible([*prices, *amounts])
    return numbers[: len(prices)]


def _check_stamps(stamps: Sequence[Any]) -> None:
    if set(map(type, stamps)) != {int} or not is_in_milliseconds(min(stamps), max(stamps)):
        raise Unusual


def _plausible(written: Sequence[str | int]) -> list[Decimal]:
    """The numbers, each above zero and of a size that needs no further look.

    Raises Unusual, ArithmeticError.
    """
    numbers = list(map(Decimal, written))
    if numbers and not (min(numbers) >= SMALLEST and max(numbers) < LARGEST):
        raise Unusual
    if max(map(len, map(str, written)), default=0) > MOST_DIGITS:
        raise Unusual
    return numbers
