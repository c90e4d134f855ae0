"""The meaning of an answer to ``POST /order``: filled, refused, or unknown."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from execsvc.clients import exchange_words
from execsvc.clients.answers import HttpAnswer
from execsvc.clients.order_details import read_details
from execsvc.errors import OrderRefused, OutcomeUnknown, Unavailable
from execsvc.model.order import Fill, Side

_AMBIGUOUS = frozenset({408, 409, 425})
"""4xx after which the order may have executed all the same."""
_LONGEST_TEXT = 100
"""Characters that are kept of an id or a status; no exchange needs half as many."""
_FAILURE = 500
"""The status of every failure of today's adapter; its detail shows which are certain."""


def fill_of_answer(answer: HttpAnswer, text: str, symbol: str, side: Side, amount: Decimal) -> Fill:
    """The final fill that ``answer`` states; ``text`` describes it for people.

    Raises OrderRefused when the order was definitely not executed, else OutcomeUnknown with a
    lower bound of what was filled.
    """
    if answer.is_success:
        return _fill(answer, symbol, side, amount)
    detail = answer.detail()
    if not _is_certain(answer.status, detail):
        raise OutcomeUnknown(text, retry_after=answer.retry_after)
    raise OrderRefused(text, answer.retry_after)


def fill_of_lookup(
    content: Any, client_order_id: str, symbol: str, side: Side, amount: Decimal
) -> Fill:
    """The final fill that an order which was looked up states.

    Raises OutcomeUnknown while it is not final, Unavailable when it is not the order asked for.
    """
    details = content.get("details", content) if isinstance(content, dict) else None
    if not isinstance(details, dict) or details.get("clientOrderId") != client_order_id:
        raise Unavailable("GET /order: the answer is not the order that was asked for")
    details = _checked_details(details, symbol, side)
    return read_details(details, amount, side, symbol)


def _is_certain(status: int, detail: str) -> bool:
    """True when the order was definitely not executed."""
    if 400 <= status <= 499:
        return status not in _AMBIGUOUS
    return status == _FAILURE and exchange_words.is_certain(detail)


def _fill(answer: HttpAnswer, symbol: str, side: Side, amount: Decimal) -> Fill:
    try:
        content = answer.json()
    except Unavailable as error:
        raise OutcomeUnknown(str(error)) from None
    details = content.get("details") if isinstance(content, dict) else None
    try:
        if isinstance(details, dict):
            details = _checked_details(details, symbol, side)
        return read_details(details, amount, side, symbol)
    except OutcomeUnknown as error:
        raise error.reworded(f"{answer.call}: {error}") from None


def _checked_details(details: dict[str, Any], symbol: str, side: Side) -> dict[str, Any]:
    """``details`` with texts that a ledger can keep.

    Raises OutcomeUnknown when they are those of another order. Ids do not show it: today's adapter
    lets the exchange make up its own.
    """
    details = {name: _storable(value) for name, value in details.items()}
    named, side_in_details = details.get("symbol"), details.get("side")
    if isinstance(named, str) and _normalised(named) != _normalised(symbol):
        raise OutcomeUnknown(f"details.symbol is {named[:40]}, asked for {symbol}")
    if isinstance(side_in_details, str) and side_in_details.lower() != side.value:
        raise OutcomeUnknown(f"details.side is {side_in_details[:40]}, asked for {side.value}")
    return details


def _storable(value: Any) -> Any:
    """A text short and without lone surrogates, which JSON can carry; anything else as it is."""
    if not isinstance(value, str):
        return value
    return value[:_LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")


def _normalised(symbol: str) -> str:
    """``symbol`` as bare letters and digits: exchanges write BTC/USDT, BTCUSDT or btc-usdt."""
    return re.sub(r"[^a-z0-9]", "", symbol.lower())
