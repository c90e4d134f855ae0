"""The stop loss of a bot's row: a part of the entry price, in percent. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from execsvc.model.market import MOST_DIGITS, plain

ALLOWED = "a number of percent from 0 to below 100 is needed"
_PATH = "pipeline.risk_management"
_BELOW = 100
_SMALLEST_EXPONENT = -12
"""The exponent, of ten, of the smallest percentage: a smaller number is too costly to turn into
digits.
"""
_SMALL = Decimal("0.1")
"""The stop loss below which the number may be a fraction that was meant as percent: 0.05 for 5 %."""


class Refused(ValueError):
    """Risk management that cannot be used: ``value`` at ``path``; the message says what is allowed."""

    def __init__(self, path: str, value: object, allowed: str) -> None:
        self.path, self.value = path, value
        super().__init__(allowed)


def read(management: object) -> tuple[Decimal | None, bool]:
    """The stop loss [%] of a row's ``risk_management``, and whether it asks for a maximal drawdown.

    Raises Refused.
    """
    if management is None:
        return None, False
    if not isinstance(management, dict):
        raise Refused(_PATH, management, "an object is needed")
    value = management.get("stop_loss")
    try:
        percent = percent_of(value)
    except ValueError as error:
        raise Refused(f"{_PATH}.stop_loss", value, str(error)) from None
    return percent, management.get("max_drawdown") not in (None, "", 0)


def percent_of(value: object) -> Decimal | None:
    """The stop loss [%] that ``value`` says; None for a field that is absent, cleared or 0.

    Raises ValueError with what is allowed.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
            raise InvalidOperation
        text = str(value)
        percent = Decimal(text)
        digits = len(percent.as_tuple().digits)
        if "_" in text or not percent.is_finite() or digits > MOST_DIGITS:
            raise InvalidOperation
        if not 0 <= percent < _BELOW or (percent and percent.adjusted() < _SMALLEST_EXPONENT):
            raise InvalidOperation
    except InvalidOperation:
        raise ValueError(ALLOWED) from None
    return percent or None


def doubt_about(stop_loss: Decimal | None) -> str | None:
    """The doubt about a small stop loss [%] that may be meant otherwise; None for any other."""
    if stop_loss is None or stop_loss >= _SMALL:
        return None
    return f"its stop loss is {plain(stop_loss)} %: the form's unit is percent"
