"""Sentence by sentence: exchange time, the window, and what is kept from tick to tick."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.orderflow import Bot, D, bought, calm, ms, sell_pressure, sold, taker

from execsvc.model.market import Trade


def exchange_time(bot: Bot) -> int | None:
    return bot.state.memory.exchange_time


def volume(bot: Bot) -> object:
    return bot.strategy.last_tick.view.window.flow().total


def test_the_time_is_the_larger_of_book_and_newest_trade() -> None:
    bot = Bot()
    bot.tick(0, "99", "101", [taker("buy", "1", 3)], stamp=ms(2))
    assert exchange_time(bot) == ms(3)

    bot.tick(1, "99", "101", [taker("buy", "1", 3)], stamp=ms(4))
    assert exchange_time(bot) == ms(4)


def test_without_a_book_stamp_it_is_the_newest_trade_plus_the_time_since_it_was_seen() -> None:
    bot = Bot()
    newest = [taker("buy", "1", -5)]
    bot.tick(0, "99", "101", newest, stamp=None)
    assert exchange_time(bot) == ms(-5)

    bot.tick(1.5, "99", "101", newest, stamp=None)
    assert exchange_time(bot) == ms(-3.5)

    bot.tick(2, "99", "101", [*newest, taker("buy", "1", -4.9)], stamp=None)
    assert exchange_time(bot) == ms(-3.5)  # -4.9 is before: the time never goes back


def test_the_time_never_goes_back() -> None:
    bot = Bot()
    bot.tick(0, "99", "101", stamp=ms(10))
    bot.tick(1, "99", "101", stamp=ms(9))

    assert exchange_time(bot) == ms(10)


def test_before_the_first_stamp_there_is_no_window() -> None:
    bot = Bot(pressure_signals_required=1, min_total_quote_volume=0)

    bot.tick(0, "99", "101", [taker("buy", "100", None)], stamp=None)

    assert exchange_time(bot) is None
    assert volume(bot) == 0


def test_the_window_is_open_at_its_beginning_and_closed_at_its_end() -> None:
    bot = Bot()
    trades = [taker("buy", "1", 0), taker("buy", "10", 0.001), taker("buy", "100", 10)]

    bot.tick(10, "99", "101", trades)

    assert volume(bot) == D(110)


def test_trades_stamped_after_the_time_are_impossible_as_they_move_it() -> None:
    bot = Bot()

    bot.tick(0, "99", "101", [taker("buy", "1", -9), taker("buy", "10", 5)])

    assert exchange_time(bot) == ms(5)
    assert volume(bot) == D(10)


@pytest.mark.parametrize(
    "broken",
    [
        taker("buy", "100", None),
        taker(None, "100", 1),
        taker("up", "100", 1),
        taker("buy", None, 1),
        Trade(timestamp=ms(1), amount=D(100), side="buy"),
    ],
)
def test_trades_that_lack_something_are_left_out(broken: Trade) -> None:
    bot = Bot()

    bot.tick(1, "99", "101", [taker("buy", "1", 1), broken])

    assert volume(bot) == D(1)


def test_a_window_cut_short_by_the_limit_is_used_counted_and_said_once() -> None:
    bot = Bot(trades_limit=20)
    trades = [taker("buy", "1", 1 + number / 100) for number in range(30)]

    bot.tick(2, "99", "101", trades)
    bot.tick(3, "99", "101", trades)

    assert volume(bot) == D(20)
    assert bot.state.cut_windows == 2
    assert len([line for line in bot.lines if "cut short" in line]) == 1


def test_a_full_read_that_reaches_behind_the_window_cuts_nothing() -> None:
    bot = Bot(trades_limit=20)
    trades = [taker("buy", "1", 0), *[taker("buy", "1", 10)] * 19]

    bot.tick(10, "99", "101", trades)

    assert bot.state.cut_windows == 0


@pytest.mark.parametrize("phase", ["FLAT", "WAIT_CONFIRM", "IN_POSITION", "COOLDOWN"])
def test_mid_average_and_time_are_kept_in_every_state(phase: str) -> None:
    bot = Bot(spread_ema_alpha=1, time_stop_sec=10)
    if phase == "WAIT_CONFIRM":
        calm(bot)
        sell_pressure(bot)
    elif phase != "FLAT":
        bot = bought(spread_ema_alpha=1, time_stop_sec=10)
    at = 13.0 if phase == "COOLDOWN" else 5.0
    if phase == "COOLDOWN":
        bot.tick(at, "99.6", "99.8")
    bot.tick(at + 1, "99.5", "99.9")

    assert bot.state.phase.value == phase
    memory = bot.state.memory
    assert (memory.mid, memory.spread_average) == (D("99.7"), D("0.4"))
    assert memory.exchange_time == ms(at + 1)


def test_a_tick_without_trades_still_keeps_its_book_and_is_told_as_failed() -> None:
    bot = Bot()

    bot.tick(0, "99", "101", None)

    assert bot.state.memory.mid == D(100)
    assert bot.lines == ["GET /market/trades: gone"]


def test_a_tick_without_a_book_keeps_nothing() -> None:
    bot = Bot()
    calm(bot)
    before = bot.state.memory

    bot.tick(1, None)

    assert bot.state.memory == before
    assert bot.lines == ["GET /market/depth: gone"]


@pytest.mark.parametrize("unit", [1_000, 1_000_000])
def test_a_stamp_in_another_unit_is_the_same_time(unit: int) -> None:
    bot = Bot()
    bot.tick(0, "99", "101", stamp=ms(0) * unit)
    assert exchange_time(bot) == ms(0)
    bot.tick(1, "99", "101", stamp=ms(1) // 1000)
    assert exchange_time(bot) == ms(1)


def test_a_stamp_ahead_of_our_clock_is_not_believed_and_said_once_for_as_long_as_it_lasts() -> None:
    bot = Bot()
    bot.tick(0, "99", "101", [taker("buy", "1", 0), taker("buy", "7", 60.001)], stamp=ms(86_400))
    assert exchange_time(bot) == ms(0)
    assert volume(bot) == D(1)
    bot.tick(61, "99", "101", stamp=ms(86_400))
    bot.restart()
    bot.tick(62, "99", "101", [taker("buy", "1", 86_400)], stamp=None)
    assert exchange_time(bot) == ms(62)
    assert len([line for line in bot.lines if "not believed" in line]) == 1
    bot.tick(63, "99", "101")
    bot.tick(64, "99", "101", stamp=10**30)
    assert exchange_time(bot) == ms(64)
    assert len([line for line in bot.lines if "not believed" in line]) == 2


def test_a_time_ahead_of_our_clock_that_was_kept_is_dropped() -> None:
    bot = Bot()
    bot.tick(0, "99", "101", [taker("buy", "1", 0)])
    absurd = {"exchange_time": ms(10**9), "newest_trade": ms(10**9)}
    bot.state.memory = bot.state.memory.model_copy(update=absurd)
    bot.restart()
    bot.tick(1, "99", "101", [taker("buy", "1", 0.5)], stamp=ms(1))
    assert exchange_time(bot) == ms(1)
    assert bot.state.memory.newest_trade == ms(0.5)
    assert volume(bot) == D(1)


def test_our_clock_set_back_leaves_no_time_until_it_is_right_again() -> None:
    bot = Bot()
    bot.tick(0, "99", "101")
    bot.clock_ahead = timedelta(minutes=-2)
    bot.tick(1, "99", "101", [taker("buy", "1", 1)])
    assert exchange_time(bot) is None
    assert volume(bot) == 0
    bot.clock_ahead = timedelta(0)
    bot.tick(2, "99", "101", [taker("buy", "1", 2)])
    assert exchange_time(bot) == ms(2)
    assert volume(bot) == D(1)


@pytest.mark.parametrize("position", [bought, sold])
def test_what_was_noted_of_an_absurd_time_is_put_back_to_the_true_one(position: object) -> None:
    bot = position()  # type: ignore[operator]
    assert bot.state.held is not None
    bot.state.held = bot.state.held.model_copy(update={"since": ms(10**9)})
    bot.tick(5, "99.9", "100.1")
    assert bot.state.held is not None and bot.state.held.since == ms(5)


def test_a_pressure_of_an_absurd_time_counts_trades_from_the_true_one_on() -> None:
    bot = Bot()
    calm(bot)
    sell_pressure(bot)
    assert bot.state.pressure is not None
    bot.state.pressure = bot.state.pressure.model_copy(update={"exchange_time": ms(10**9)})
    for at in (2, 3, 4):
        bot.tick(at, "99.6", "99.8", [taker("sell", "10", at)])
    assert bot.state.phase.value == "IN_POSITION"
