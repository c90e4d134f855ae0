"""The limits of the settings, and of the bot's row, that guard an entry."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from execsvc.settings import Settings
from execsvc.store.tripped import DAILY_LOSS, STOP_LOSS


class GuardName(str, Enum):
    """The limits that may keep a bot from entering; the values are the names in ``/status``."""

    ORDER_NOTIONAL = "order_notional"
    ORDER_RATE = "order_rate"
    DAILY_LOSS = DAILY_LOSS
    DATA_AGE = "data_age"
    ENTRY_BACKOFF = "entry_backoff"
    """The only guard without a limit."""
    STOP_LOSS = STOP_LOSS
    """The limit is a field of the bot's row."""


class GuardLimits(NamedTuple):
    """A limit each, None for none: money in quote, ages in seconds, the stop loss in percent."""

    order_notional: Decimal | None = None
    orders_per_minute: int | None = None
    daily_loss: Decimal | None = None
    data_age: float | None = None
    stop_loss: Decimal | None = None

    def of(self, guard: GuardName) -> Decimal | int | float | None:
        """The limit that ``guard`` keeps."""
        limits: dict[GuardName, Decimal | int | float | None] = {
            GuardName.ORDER_NOTIONAL: self.order_notional,
            GuardName.ORDER_RATE: self.orders_per_minute,
            GuardName.DAILY_LOSS: self.daily_loss,
            GuardName.DATA_AGE: self.data_age,
            GuardName.ENTRY_BACKOFF: None,
            GuardName.STOP_LOSS: self.stop_loss,
        }
        return limits[guard]


NO_LIMITS = GuardLimits()


def limits_of(settings: Settings, stop_loss: Decimal | None = None) -> GuardLimits:
    """The limits of the settings, where zero is no limit, and the ``stop_loss`` of the row."""
    return GuardLimits(
        settings.max_order_notional or None,
        settings.max_orders_per_minute or None,
        settings.daily_loss_limit or None,
        settings.max_data_age or None,
        stop_loss,
    )
