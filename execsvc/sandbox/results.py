"""BotService: the results of a bot's executions, each SELL matched with the BUYs before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from execsvc.model.market import ZERO


@dataclass(frozen=True)
class Executed:
    """An execution: ``price`` in quote, ``quantity`` in base, ``result`` of a SELL in quote."""

    trade_id: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    timestamp: datetime
    result: Decimal | None = None


def result_of(sell: Executed, earlier: Iterable[Executed]) -> Decimal:
    """The result of a SELL over the BUYs that it is matched with, in quote, without fees.

    ``earlier`` are the bot's other executions in any order. First in, first out by time; a BUY that
    was matched with an earlier SELL is used up, and a part without a BUY has no result.
    """
    past = sorted(earlier, key=lambda one: one.timestamp)
    open_buys = [
        [one.price, one.quantity]
        for one in past
        if one.side == "BUY" and one.timestamp <= sell.timestamp
    ]
    for one in past:
        if one.side == "SELL":
            _use_up(open_buys, one.quantity)
    return sum(
        (quantity * (sell.price - price) for price, quantity in _use_up(open_buys, sell.quantity)),
        ZERO,
    )


def summary(executions: Iterable[Executed]) -> dict[str, Any]:
    """The ``summary`` of a session: result, fees and the part of the SELLs that won."""
    all_of_it = list(executions)
    return {
        "result": sum((one.result for one in all_of_it if one.result is not None), ZERO),
        "fee": sum((one.fee for one in all_of_it), ZERO),
        "win_rate": _win_rate(all_of_it),
    }


def statistics(executions: Iterable[Executed]) -> dict[str, Any]:
    """``GET /bots/{id}/stats``, over all SELLs; ``profit_factor`` is null while none lost."""
    results = [one.result for one in executions if one.result is not None]
    won = sum((result for result in results if result > 0), ZERO)
    lost = -sum((result for result in results if result < 0), ZERO)
    return {
        "result": won - lost,
        "win_rate": _win_rate_of(results),
        "profit_factor": won / lost if lost else None,
    }


def _win_rate(executions: Iterable[Executed]) -> float | None:
    return _win_rate_of([one.result for one in executions if one.result is not None])


def _win_rate_of(results: list[Decimal]) -> float | None:
    """The part that won; None of no SELL at all."""
    return sum(result > 0 for result in results) / len(results) if results else None


def _use_up(open_buys: list[list[Decimal]], quantity: Decimal) -> list[tuple[Decimal, Decimal]]:
    """Take ``quantity`` from the oldest BUYs on; returns pairs of price and quantity."""
    used = []
    for buy in open_buys:
        part = min(buy[1], quantity)
        if part > 0:
            used.append((buy[0], part))
        buy[1] -= part
        quantity -= part
    return used
