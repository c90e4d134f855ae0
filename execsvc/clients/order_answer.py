"""What an answer to ``POST /order`` means: filled, refused, or unknown."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from execsvc.clients.answers import Answer
from execsvc.errors import (
    NotionalRefused,
    OrderRefused,
    OutcomeUnknown,
    StepRefused,
    Unavailable,
)
from execsvc.model.order import Fill, Side, read_details

_AMBIGUOUS = frozenset({408, 409, 425})
"""4xx after which the order may have executed all the same."""
_FAILURE = 500
"""The status of every failure of today's adapter; its detail tells which are certain."""


def _word(names: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{names})(?![A-Za-z0-9_])")


_STEP = _word("(?:MARKET_)?LOT_SIZE")
_NOTIONAL = _word("(?:MIN_)?NOTIONAL")
_PRECISION = _word("(?i:precision)")
_CERTAIN = _word(
    "(?i:insufficient balance)|(?:MARKET_)?LOT_SIZE|(?:MIN_)?NOTIONAL|PRICE_FILTER"
    "|InsufficientFunds|InvalidOrder|BadSymbol|AuthenticationError|PermissionDenied"
)


def judge(answer: Answer, text: str, symbol: str, side: Side, amount: Decimal) -> Fill:
    """The final fill that ``answer`` states; ``text`` describes it for people.

    Raises OrderRefused, StepRefused or NotionalRefused when the order was definitely not
    executed, else OutcomeUnknown with a lower bound of what was filled.
    """
    if answer.is_success:
        return _fill(answer, symbol, side, amount)
    detail = answer.detail()
    if not _is_certain(answer.status, detail):
        raise OutcomeUnknown(text, retry_after=answer.retry_after)
    if _STEP.search(detail):
        raise StepRefused(text, answer.retry_after)
    if _NOTIONAL.search(detail):
        raise NotionalRefused(text, answer.retry_after)
    if _PRECISION.search(detail):
        raise StepRefused(text, answer.retry_after)
    raise OrderRefused(text, answer.retry_after)


def _is_certain(status: int, detail: str) -> bool:
    """True when the order was definitely not executed."""
    if 400 <= status <= 499:
        return status not in _AMBIGUOUS
    return status == _FAILURE and _CERTAIN.search(detail) is not None


def _fill(answer: Answer, symbol: str, side: Side, amount: Decimal) -> Fill:
    try:
        content = answer.json()
    except Unavailable as error:
        raise OutcomeUnknown(str(error)) from None
    details = content.get("details") if isinstance(content, dict) else None
    base, quote = symbol.split("/")
    try:
        if isinstance(details, dict):
            _is_ours(details, symbol, side)
        return read_details(details, amount, base, quote)
    except OutcomeUnknown as error:
        raise OutcomeUnknown(f"{answer.call}: {error}", error.filled_at_least) from None


def _is_ours(details: dict[str, Any], symbol: str, side: Side) -> None:
    """Raises OutcomeUnknown when ``details`` are those of another order."""
    named, way = details.get("symbol"), details.get("side")
    if isinstance(named, str) and _letters(named) != _letters(symbol):
        raise OutcomeUnknown(f"details.symbol is {named[:40]}, asked for {symbol}")
    if isinstance(way, str) and way.lower() != side.value:
        raise OutcomeUnknown(f"details.side is {way[:40]}, asked for {side.value}")


def _letters(symbol: str) -> str:
    """Exchanges write one market as BTC/USDT, BTCUSDT or btc-usdt."""
    return re.sub(r"[^a-z0-9]", "", symbol.lower())
