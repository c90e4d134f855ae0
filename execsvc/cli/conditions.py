"""Options that set the conditions under which a strategy is replayed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import update_wrapper
from typing import Any

import click

from execsvc.model.risk import percent_of
from execsvc.replay.result import Conditions

Command = Callable[..., Any]


def number(text: str) -> Decimal:
    """A decimal number, zero or more. Raises ValueError."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not value.is_finite() or value < 0:
        raise ValueError(text)
    return value


def balance(text: str) -> tuple[Decimal, Decimal]:
    """``BASE,QUOTE``: two such numbers. Raises ValueError."""
    base, _, quote = text.partition(",")
    return number(base), number(quote)


def percent(text: str) -> Decimal | None:
    """A stop loss in percent, as a row says it; None for 0. Raises ValueError."""
    return percent_of(text)


_OPTIONS = [
    click.option(
        "--interval",
        type=click.FloatRange(0.05, 3600),
        default=5.0,
        show_default=True,
        metavar="SEC",
        help="Time from one tick to the next.",
    ),
    click.option(
        "--phase",
        type=click.FloatRange(0),
        default=0.0,
        metavar="SEC",
        help="Time from the first line to the first tick.",
    ),
    click.option(
        "--fee",
        type=number,
        default="0.001",
        show_default=True,
        metavar="F",
        help="Part of an order that is taken as its fee.",
    ),
    click.option(
        "--latency",
        type=click.FloatRange(0, 60_000),
        default=100.0,
        show_default=True,
        metavar="MS",
        help="Time from an order to its fill.",
    ),
    click.option(
        "--balance",
        type=balance,
        default="1,10000",
        show_default=True,
        metavar="BASE,QUOTE",
        help="Balances of the account at the start.",
    ),
    click.option(
        "--allocation", type=number, metavar="QUOTE", help="The bot's account_allocation."
    ),
    click.option(
        "--min-amount",
        type=number,
        default="0.00001",
        show_default=True,
        metavar="BASE",
        help="The smallest order the exchange takes.",
    ),
    click.option(
        "--min-notional",
        type=number,
        default="5",
        show_default=True,
        metavar="QUOTE",
        help="The smallest value of an order.",
    ),
    click.option(
        "--symbol",
        default="BASE/QUOTE",
        show_default=True,
        metavar="BASE/QUOTE",
        help="Name of the market.",
    ),
    click.option(
        "--max-order-notional",
        type=number,
        metavar="QUOTE",
        help="As EXECSVC_MAX_ORDER_NOTIONAL: no larger entry.",
    ),
    click.option(
        "--max-orders-per-minute",
        type=click.IntRange(1),
        metavar="N",
        help="As EXECSVC_MAX_ORDERS_PER_MINUTE: no more entries.",
    ),
    click.option(
        "--daily-loss-limit",
        type=number,
        metavar="QUOTE",
        help="As EXECSVC_DAILY_LOSS_LIMIT: no entry after that.",
    ),
    click.option(
        "--stop-loss",
        type=percent,
        metavar="P",
        help="The row's stop_loss: sell P percent below the entry price, and enter no more.",
    ),
]


def takes_conditions(command: Command) -> Command:
    """Give ``command`` these options, and ``conditions`` made of them."""

    def wrapped(**values: Any) -> Any:
        given = {name: values.pop(name) for name in Conditions.model_fields}
        given["latency"] /= 1000
        return command(conditions=Conditions(**given), **values)

    taking: Command = update_wrapper(wrapped, command)
    for option in reversed(_OPTIONS):
        taking = option(taking)
    return taking
