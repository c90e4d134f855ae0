"""A fee that the bot is not told of, or that another bot's coins pay: booked by the balance."""

from __future__ import annotations

import signal
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.stores import store_in

D = Decimal
CRUMB = D("0.00001")
UNSAID: dict[str, dict[str, Any]] = {
    "another_name": {"currency": "XBT", "cost": 0.00002},
    "another_name_and_unit": {"currency": "BCHABC", "cost": 1},
    "none_in_base": {"currency": "BTC", "cost": 0},
    "none_in_quote": {"currency": "USDT", "cost": 0},
    "nameless": {"currency": None, "cost": 0.00002},
}


def tracked(bot: BotProcess) -> Decimal:
    return D(bot.last.position["tracked"] or 0)


def bought(bots: BotProcesses, *of: Any, **changes: Any) -> BotProcess:
    bot = bots.start(bot_row(*of, **changes))
    eventually(lambda: tracked(bot) > 0, "the buy")
    return bot


def ends_flat(bot: BotProcess) -> None:
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0, bot.last.last_error
    assert bot.last.end is not None
    assert bot.last.end.kind == "STOPPED"


def fees_booked(bots: BotProcesses, bot_id: str) -> list[Decimal]:
    rows = store_in(bots.state_dir).read_log(bot_id)
    return [D(str(row.data["missing"])) for row in rows if row.event == "fees_booked"]


@pytest.mark.parametrize("fee", UNSAID.values(), ids=UNSAID)
def test_buy_whose_fee_in_base_is_not_said_tracks_what_arrived(
    bots: BotProcesses, exchange: Exchange, fee: dict[str, Any]
) -> None:
    body = {"details": {"fee": fee, "fees": [fee]}}
    exchange.fault("patch", call="order", match={"side": "buy"}, body=body)
    bot = bought(bots)
    assert tracked(bot) == exchange.bots_base() == D("0.01998")
    ends_flat(bot)
    assert exchange.bots_base() == 0
    assert exchange.lowest() >= OWN_BTC
    assert len(exchange.orders(side="sell")) == 1


def test_fee_in_a_third_coin_leaves_all_of_what_was_bought(
    bots: BotProcesses, exchange: Exchange
) -> None:
    """As much of that coin as the user owns."""
    exchange.call("PUT", "/sandbox/accounts/k1", {"USDT": "10000", "BTC": "1", "BNB": "1"})
    exchange.market(symbol="BNB/USDT", price="600")
    exchange.market(fee_coin="BNB")
    bot = bought(bots)
    assert tracked(bot) == exchange.bots_base() == D("0.02")
    ends_flat(bot)
    assert exchange.bots_base() == 0
    assert exchange.account()["assets"]["BNB"]["fees"] == "0.00333332"  # 0.1 % of each


@pytest.mark.says("fees_booked")
@pytest.mark.parametrize("said", [True, False], ids=["said", "unsaid"])
def test_position_whose_coins_paid_the_fees_of_another_bot_ends_flat_at_once(
    bots: BotProcesses, exchange: Exchange, said: bool
) -> None:
    """The rest is worth more than any minimum, and no time is waited for."""
    exchange.call("PUT", "/sandbox/accounts/k1", {"USDT": "10000"})
    exchange.market(symbol="BNB/USDT", price="600", min_amount="0.00001")
    exchange.market(symbol="BTC/USDT", fee_coin="BNB", fee_rate="0.03" if said else "0.005")
    if not said:
        nothing = {"details": {"fee": None, "fees": []}}
        exchange.fault(
            "patch", call="order", match={"symbol": "BTC/USDT"}, times=None, body=nothing
        )
    holder = bought(bots, "holder", symbol="BNB/USDT", params={"allocation_ratio": "0.3"})
    held = tracked(holder)
    payer = bought(bots, "payer", params={"allocation_ratio": "0.2"})
    gap = held - D(exchange.account()["balances"]["BNB"]["free"])
    assert gap * 600 > 5
    holder.signal(signal.SIGTERM)
    assert holder.wait() == 0, holder.last.last_error
    assert tracked(holder) < CRUMB
    assert fees_booked(bots, "holder") == [gap]
    assert D(exchange.account()["balances"]["BNB"]["free"]) < CRUMB
    exchange.by_hand(kind="deposit", asset="BNB", amount="5")
    ends_flat(payer)
    left = D(exchange.account()["balances"]["BNB"]["free"])
    assert left > D("4.8"), "what the user pays in belongs to no bot"
    assert len(exchange.orders(side="sell")) == 2
