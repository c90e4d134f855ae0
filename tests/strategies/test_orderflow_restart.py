"""A restart goes on in the middle, and what was settled meanwhile is followed."""

from __future__ import annotations

import pytest
from support.orderflow import START, Bot, D, bought, calm, sell_pressure, sold, taker

from execsvc.model.position import Position


def test_a_restart_on_every_tick_changes_nothing() -> None:
    one, other = Bot(), Bot()
    for bot in (one, other):
        for at, bid, ask in (
            (0, "99.9", "100.1"),
            (1, "99.5", "99.9"),
            (2, "99.6", "99.8"),
            (3, "99.6", "99.8"),
            (4, "99.6", "99.8"),
            (5, "100.2", "100.3"),
            (6, "100", "100.1"),
        ):
            if bot is other:
                bot.restart()
            bot.tick(at, bid, ask, [taker("sell", "100", at)] if at else [])

    assert [order.kind for order in one.orders] == ["buy", "sell"]
    assert one.orders == other.orders
    assert one.state == other.state


def test_an_entry_that_was_settled_after_a_crash_is_followed_with_its_extreme() -> None:
    bot = Bot()
    calm(bot)
    sell_pressure(bot)
    bot.position = Position(tracked=D(1), entry_price=D("99.8"), opened_at=START)

    assert bot.tick(4, "99.6", "99.8") == "IN_POSITION"
    assert bot.state.held is not None
    assert bot.state.held.extreme == D("99.5")
    assert bot.tick(180, "99.6", "99.8") == "COOLDOWN"


@pytest.mark.parametrize("position", [bought, sold])
def test_a_position_that_was_closed_by_others_cools_down(position: object) -> None:
    bot = position()  # type: ignore[operator]
    bot.position = Position()

    assert bot.tick(4, "99.6", "99.8") == "COOLDOWN"
    assert len(bot.orders) == 1


def test_an_unknown_entry_price_leaves_the_time_stop() -> None:
    bot = bought()
    bot.position = bot.position.model_copy(update={"entry_price": None})

    assert bot.tick(4, "1", "2") == "IN_POSITION"
    assert bot.tick(183, "1", "2") == "COOLDOWN"


def test_a_position_without_any_state_is_closed_in_time() -> None:
    bot = Bot()
    bot.position = Position(sold_short=D(1), entry_price=D(100), opened_at=START)

    assert bot.tick(1, "99.9", "100") == "IN_POSITION"
    assert bot.tick(180, "99.9", "100") == "COOLDOWN"
    assert bot.orders[0].kind == "buy_back"
