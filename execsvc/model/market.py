"""Market data, balances, and the rules of rounding and minimum sizes.

Everything numeric is ``Decimal``: amounts in base units, prices in quote per base.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Context, Decimal
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetPydanticSchema,
    PlainValidator,
    model_validator,
)

from execsvc.model.stamps import Stamp

LARGEST = Decimal("1e15")
SMALLEST = Decimal("1e-18")
_LARGEST_MAGNITUDE = LARGEST.adjusted()
_SMALLEST_MAGNITUDE = SMALLEST.adjusted()
MOST_DIGITS = 80
"""Digits of a number: a float written out exactly has some 55 significant digits."""
DEFAULT_DECIMALS = 8
ZERO = Decimal(0)
FLOAT_NOISE = Decimal("1e-12")
"""The part of a quantity by which a float on its way to us may have changed it."""
_EXACT = Context(prec=400)
"""A context that holds the sum of any two plausible numbers; the usual 28 digits would round it."""


def _number(value: Any) -> Decimal:
    """A plausible number; zero for one below the decimals of any asset (a rounding rest of floats).

    That also takes the exponent from a zero such as 0E+999999999, which makes an addition very slow. One
    function, not a step of pydantic for each rule: a book has two hundred numbers.
    """
    number = value if type(value) is Decimal else _decimal(value)
    if not number.is_finite():
        raise ValueError("Input should be a finite number")
    magnitude = number.adjusted()
    if magnitude < _SMALLEST_MAGNITUDE or not number:
        return ZERO
    # The text is as long as its digits, or longer, and has far fewer characters than the limit.
    if magnitude >= _LARGEST_MAGNITUDE or len(str(number)) > MOST_DIGITS:
        _refuse_excess(number)
    return number


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise ValueError("is a boolean, not a number")
    try:
        if isinstance(value, (str, int, float, Decimal)):
            return Decimal(str(value) if isinstance(value, float) else value)
    except ArithmeticError:
        pass
    raise ValueError("Input should be a valid decimal")


def _refuse_excess(number: Decimal) -> None:
    if number.copy_abs() > LARGEST or len(number.as_tuple().digits) > MOST_DIGITS:
        raise ValueError(f"is over {LARGEST} or has more than {MOST_DIGITS} digits")


def _price(value: Any) -> Decimal:
    number = _number(value)
    if number <= 0:
        raise ValueError("Input should be greater than 0")
    return number


def _quantity(value: Any) -> Decimal:
    number = _number(value)
    if number < 0:
        raise ValueError("Input should be greater than or equal to 0")
    return number


Number = Annotated[Decimal, PlainValidator(_number)]
Price = Annotated[Decimal, PlainValidator(_price)]
Quantity = Annotated[Decimal, PlainValidator(_quantity)]


class Symbol(NamedTuple):
    """A market by its two assets; written ``BASE/QUOTE``."""

    base: str
    """The asset that is bought and sold."""
    quote: str
    """The asset that is paid with; prices are quote per base."""

    @classmethod
    def parse(cls, text: str) -> Symbol:
        """``BASE/QUOTE`` as a symbol. Raises ValueError unless ``text`` has one slash."""
        base, quote = text.split("/")
        return cls(base, quote)

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"


class Limits(BaseModel):
    """The smallest order an exchange takes; None where it publishes none."""

    model_config = ConfigDict(frozen=True)

    min_notional: Quantity | None = None
    min_amount: Quantity | None = None

    @property
    def decimals(self) -> int:
        """Decimals of the quantity step: the power of ten at or below ``min_amount``."""
        return -self.min_amount.adjusted() if self.min_amount else DEFAULT_DECIMALS

    def refuses(self, amount: Decimal, price: Decimal | None) -> bool:
        """True when an order of ``amount`` base units at ``price`` is below a minimum.

        An unknown price (None) leaves the notional unjudged.
        """
        if amount <= 0 or (self.min_amount is not None and amount < self.min_amount):
            return True
        if self.min_notional is None or price is None:
            return False
        return amount * price < self.min_notional


class Ticker(BaseModel):
    """The last price of a market and its limits."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    price: Price
    limits: Annotated[Limits, BeforeValidator(lambda v: Limits() if v is None else v)] = Limits()


class Level(NamedTuple):
    """One price level of a book."""

    price: Price
    amount: Quantity


_OF_A_LEVEL = 2
_LONGEST_LEVEL = 4


def _levels(side: Any) -> Any:
    """The levels of one side, each as price and amount; additions of some exchanges are left out.

    Kraken adds a stamp, OKX a zero and the number of orders.
    """
    if not isinstance(side, (list, tuple)):
        return side
    return [
        level[:_OF_A_LEVEL]
        if isinstance(level, (list, tuple)) and _OF_A_LEVEL < len(level) <= _LONGEST_LEVEL
        else level
        for level in side
    ]


Levels = Annotated[
    Sequence[Level],
    GetPydanticSchema(lambda _, handler: handler.generate_schema(tuple[Level, ...])),
    BeforeValidator(_levels),
]
"""The levels of one side, best first: a tuple, or rows that were checked (levels)."""


class Depth(BaseModel):
    """An order book, best level first; never empty on a side, never crossed."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    timestamp: Stamp | None = None
    bids: Levels
    asks: Levels

    @model_validator(mode="after")
    def _is_a_book(self) -> Depth:
        for name, levels, sign in (("bids", self.bids, -1), ("asks", self.asks, 1)):
            if not levels or levels[0].amount == 0:
                raise ValueError(f"{name}: is empty at its best level")
            prices = [sign * level.price for level in levels]
            if any(a > b for a, b in pairwise(prices)):
                raise ValueError(f"{name}: is not sorted, best first")
        if self.best_bid >= self.best_ask:
            raise ValueError("bids: is crossed with asks")
        return self

    @property
    def best_bid(self) -> Decimal:
        """The highest price of the buyers."""
        return self.bids[0].price

    @property
    def best_ask(self) -> Decimal:
        """The lowest price of the sellers."""
        return self.asks[0].price

    @property
    def mid(self) -> Decimal:
        """Half way between best bid and best ask."""
        return (self.best_bid + self.best_ask) / 2


_SIDES = {"buy": "buy", "b": "buy", "sell": "sell", "s": "sell"}
_LONGEST_SIDE = 20


def _side(value: Any) -> str | None:
    """``buy`` or ``sell``, however it is written; any other text stays as it came, cut short."""
    if value is None:
        return None
    text = str(value).strip()[:_LONGEST_SIDE]
    return _SIDES.get(text.lower(), text)


class Trade(BaseModel):
    """One public trade; ``side`` is the taker's, ``timestamp`` ms since the epoch."""

    model_config = ConfigDict(frozen=True)

    timestamp: Stamp | None = None
    price: Price | None = None
    amount: Quantity | None = None
    side: Annotated[str | None, BeforeValidator(_side)] = None

    @property
    def has_odd_side(self) -> bool:
        """True when the side is neither ``buy`` nor ``sell``: the trade cannot be used."""
        return self.side is not None and self.side not in _SIDES.values()


class Trades(BaseModel):
    """Public trades, oldest first."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    trades: tuple[Trade, ...]


def round_down(amount: Decimal, decimals: int) -> Decimal:
    """``amount`` cut to ``decimals`` places (negative: tens, hundreds), never more than it was.

    >>> round_down(Decimal("0.0199999"), 5)
    Decimal('0.01999')
    """
    return amount.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN, context=_EXACT)


def exact_sum(*values: Decimal) -> Decimal:
    """The sum of ``values`` to the last digit, whatever their sizes.

    >>> exact_sum(Decimal("1e15"), Decimal("-1e-18"))
    Decimal('999999999999999.999999999999999999')
    """
    total = ZERO
    for value in values:
        total = _EXACT.add(total, value)
    return total


def plain(value: Decimal) -> str:
    """``value`` in plain digits, without an exponent and without trailing zeros.

    >>> plain(Decimal("1.60E-7"))
    '0.00000016'
    """
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
