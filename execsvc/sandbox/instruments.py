"""The markets of the sandbox: any ``BASE/QUOTE`` exists from its first request on."""

from __future__ import annotations

import functools
import re
import zlib
from decimal import Decimal
from typing import NamedTuple

from execsvc.model.market import Limits, round_down

_SYMBOL = re.compile(r"[A-Za-z0-9._:-]{1,40}/[A-Za-z0-9._:-]{1,40}")


class UnknownSymbol(Exception):
    """The requested symbol is not one."""


class Instrument(NamedTuple):
    """A market: its first price, decimals of price and amount, its smallest order."""

    symbol: str
    start: Decimal
    price_decimals: int
    amount_decimals: int
    limits: Limits

    @property
    def tick(self) -> Decimal:
        """The smallest difference between two prices."""
        return Decimal(1).scaleb(-self.price_decimals)


_KNOWN = {
    "BTC/USDT": ("88162.08", 2, "0.00001"),
    "ETH/USDT": ("2981.40", 2, "0.0001"),
    "SOL/USDT": ("125.70", 2, "0.001"),
}


@functools.lru_cache(maxsize=1024)
def find(symbol: str) -> Instrument:
    """The market named ``symbol``, always the same. Raises UnknownSymbol."""
    if not _SYMBOL.fullmatch(symbol):
        raise UnknownSymbol(symbol)
    if symbol in _KNOWN:
        start, decimals, smallest = _KNOWN[symbol]
        return _instrument(symbol, Decimal(start), decimals, Decimal(smallest))
    drawn = Decimal(zlib.crc32(symbol.encode()) % 9900 + 100) / 100
    return _instrument(symbol, drawn, 4, Decimal("0.01"))


def _instrument(symbol: str, start: Decimal, decimals: int, smallest: Decimal) -> Instrument:
    limits = Limits(min_notional=Decimal(5), min_amount=smallest)
    return Instrument(symbol, round_down(start, decimals), decimals, limits.decimals, limits)
