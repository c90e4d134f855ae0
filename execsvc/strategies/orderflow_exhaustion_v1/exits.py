"""The rules that close a position, judged on the price at which it would trade."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from execsvc.model.order import Side
from execsvc.strategies.orderflow_exhaustion_v1.market_view import View, opposite
from execsvc.strategies.orderflow_exhaustion_v1.params import OrderflowParams


class Held(BaseModel):
    """A position as its exit rules see it.

    ``side`` is that of the entry; ``extreme`` is the pressure's, as it stood at the entry (None
    when it is lost); ``since`` the exchange's time of the entry, in ms. The counters are the ticks
    in a row on which a soft rule has held; ``rule`` is the rule that was met, once it was.
    """

    model_config = ConfigDict(frozen=True)

    side: Side
    opened_at: datetime
    since: int | None
    extreme: Decimal | None
    soft_stop: int = 0
    soft_take_profit: int = 0
    rule: str | None = None


def after_tick(
    held: Held, entry: Decimal | None, view: View | None, params: OrderflowParams, now: datetime
) -> Held:
    """``held`` after one tick, with the first rule that holds, if any.

    ``entry`` is the entry price in quote per base; None leaves only the time stop. ``view`` is
    None on a tick without a book. A rule once met stands.
    """
    if held.rule is not None:
        return held
    rule = None
    if view is None or entry is None:
        held = held.model_copy(update={"soft_stop": 0, "soft_take_profit": 0})
    else:
        held = _counted(held, entry, view, params)
        rule = _price_rule(held, entry, view, params)
    if rule is None and now - held.opened_at >= timedelta(seconds=params.time_stop_sec):
        rule = "time_stop"
    return held.model_copy(update={"rule": rule})


class _Result(NamedTuple):
    price: Decimal
    gain: Decimal


def _result(held: Held, entry: Decimal, view: View) -> _Result:
    """The price at which the position would be closed, and the gain a unit at it."""
    price = view.best_bid if held.side is Side.BUY else view.best_ask
    return _Result(price, (price - entry) * held.side.sign)


def _counted(held: Held, entry: Decimal, view: View, params: OrderflowParams) -> Held:
    gain = _result(held, entry, view).gain
    turned = (
        view.window.flow(held.since).leans(opposite(held.side)) if held.since is not None else False
    )
    stop, profit = params.soft_stop_loss_pct, params.soft_take_profit_pct
    stops = turned and stop > 0 and -gain >= stop * entry
    takes = turned and profit > 0 and gain >= profit * entry
    return held.model_copy(
        update={
            "soft_stop": held.soft_stop + 1 if stops else 0,
            "soft_take_profit": held.soft_take_profit + 1 if takes else 0,
        }
    )


def _price_rule(held: Held, entry: Decimal, view: View, params: OrderflowParams) -> str | None:
    price, gain = _result(held, entry, view)
    rules = {
        "hard_stop": (price - hard_stop(held, entry, params)) * held.side.sign <= 0,
        "take_profit": params.take_profit_pct > 0 and gain >= params.take_profit_pct * entry,
        "soft_stop": held.soft_stop >= params.soft_confirm_ticks,
        "soft_take_profit": held.soft_take_profit >= params.soft_confirm_ticks,
    }
    return next((name for name, holds in rules.items() if holds), None)


def hard_stop(held: Held, entry: Decimal, params: OrderflowParams) -> Decimal:
    """The price of the hard stop: the farther of the two from the position."""
    sign = held.side.sign
    stops = [entry * (1 - sign * params.stop_loss_pct)]
    if held.extreme is not None:
        stops.append(held.extreme * (1 - sign * params.stop_buffer_pct))
    return min(stops) if held.side is Side.BUY else max(stops)
