"""A balance lists rows that make no sense: a bot of other coins buys, sells and stops all the same."""

from __future__ import annotations

from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import assert_over
from support.world import ODD_ROWS


def test_odd_rows_of_other_assets_block_no_trade(daemon: Daemon, exchange: Exchange) -> None:
    first, *others = [rows for rows in ODD_ROWS if rows]
    exchange.adapter(odd_rows=first)
    exchange.list_bots(bot_row())
    daemon.start()
    for number, rows in enumerate(others, 2):
        daemon.until_holding()
        exchange.adapter(odd_rows=rows)
        exchange.stop_bot()
        daemon.until("STOPPED")
        assert daemon.bot()["position"]["side"] is None
        exchange.list_bots(bot_row())
        eventually(lambda number=number: len(exchange.executed(side="buy")) == number, "a buy")
    daemon.until_holding()
    assert daemon.stop() == 0
    assert len(exchange.executed(side="sell")) == len(exchange.executed(side="buy"))
    assert_over(daemon, exchange)


def test_asset_listed_twice_is_summed(daemon: Daemon, exchange: Exchange) -> None:
    exchange.fund(usdt="5000")
    exchange.adapter(odd_rows=[{"asset": "USDT", "free": 5000, "locked": None}])
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    (bought,) = exchange.executed(side="buy")
    assert bought["amount"] == "0.02", "a tenth of 10 000 at 50 000"
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
