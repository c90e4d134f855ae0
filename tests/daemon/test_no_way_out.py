"""A key is revoked, a pair is delisted: nothing can be read or sold, and an operator gives it up."""

from __future__ import annotations

import json
import os
import signal
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.receiver import Receiver
from support.stores import store_in
from support.verdicts import CRUMB, assert_over, listed_again

REVOKED = 'binance {"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."} AuthenticationError'


def revoke(exchange: Exchange, key: str = "k1") -> None:
    """No call for this key succeeds any more."""
    for call in ("balance", "order", "ticker", "depth", "trades"):
        match = {"key_id": key}
        exchange.fault("status", call=call, status=500, detail=REVOKED, match=match, times=None)


def delist(exchange: Exchange, symbol: str) -> None:
    """The exchange does not know the pair any more."""
    for call in ("order", "ticker", "depth", "trades"):
        exchange.fault(
            "status",
            call=call,
            status=500,
            detail=f"binance BadSymbol: does not have market symbol {symbol}",
            match={"symbol": symbol},
            times=None,
        )


def stuck(daemon: Daemon, exchange: Exchange) -> str:
    """A bot that was stopped and cannot be sold; what it tracks."""
    exchange.list_bots(bot_row())
    daemon.start()
    tracked = daemon.until_holding()["position"]["tracked"]
    revoke(exchange)
    exchange.stop_bot()
    daemon.until("LIQUIDATING")
    eventually(lambda: daemon.health()[1]["reasons"], "it is known to fail")
    return str(tracked)


def abandoned(daemon: Daemon) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = daemon.bot()["abandoned"]
    return found


@pytest.mark.says("position_abandoned", "bot_abandon_asked")
def test_release_key_revoked_says_that_it_cannot_and_abandon_ends_it(
    daemon: Daemon, exchange: Exchange
) -> None:
    tracked = stuck(daemon, exchange)
    (reason,) = daemon.health()[1]["reasons"]
    assert "AuthenticationError" in reason
    assert reason.endswith("execsvc release b1 --abandon")
    eventually(lambda: "given up by: execsvc release b1 --abandon" in daemon.log)

    done = daemon.command("release", "b1", "--timeout", "2")
    assert done.returncode == 75
    assert "not carried out: " in done.stderr
    assert "AuthenticationError" in done.stderr
    assert "execsvc release b1 --abandon" in done.stderr
    assert daemon.bot()["state"] == "LIQUIDATING"

    asks = daemon.command("release", "b1", "--abandon")
    assert (asks.returncode, asks.stdout) == (2, "")
    assert "--yes" in asks.stderr
    assert daemon.bot()["position"]["tracked"] == tracked

    sells = len(exchange.orders(side="sell"))
    done = daemon.command("release", "b1", "--abandon", "--yes")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert f"{tracked} BTC (BTC/USDT, key k1) booked as abandoned" in done.stdout
    bot = daemon.until("STOPPED")
    assert bot["position"]["side"] is None
    assert [(one["tracked"], one["symbol"]) for one in bot["abandoned"]] == [(tracked, "BTC/USDT")]
    assert daemon.health()[1] == {
        "status": "ok",
        "service": "execution-service",
        "reasons": [],
    }
    (critical,) = [line for line in daemon.log.splitlines() if "position_abandoned" in line]
    assert "CRITICAL" in critical
    assert exchange.bots_base() == Decimal(tracked), "the coins are still where they were"
    assert len(exchange.orders(side="sell")) == sells
    assert daemon.stop() == 0


@pytest.mark.parametrize("what", ["key", "symbol"])
def test_abandon_bot_that_is_listed_goes_on_as_its_row_says(
    daemon: Daemon, exchange: Exchange, what: str
) -> None:
    exchange.fund("k2")
    exchange.list_bots(bot_row())
    daemon.start()
    tracked = daemon.until_holding()["position"]["tracked"]
    if what == "key":
        revoke(exchange)
        exchange.list_bots(bot_row(key="k2"))
    else:
        delist(exchange, "BTC/USDT")
        exchange.list_bots(bot_row(symbol="ETH/USDT"))
    daemon.until("LIQUIDATING")
    eventually(lambda: daemon.health()[1]["reasons"], "it is known to fail")
    assert daemon.command("release", "b1", "--abandon", "--yes").returncode == 0
    bot = daemon.until_holding()
    assert (bot["key_id"], bot["symbol"]) == (
        ("k2", "BTC/USDT") if what == "key" else ("k1", "ETH/USDT")
    )
    assert [one["tracked"] for one in abandoned(daemon)] == [tracked]
    assert daemon.stop() == 0
    assert exchange.bots_base() == Decimal(tracked)


def test_abandon_bot_that_runs_is_given_up_and_buys_again(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    first = daemon.until_holding()
    done = daemon.command("release", "b1", "--abandon", "--yes", "--json")
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["abandoned"][0]["tracked"] == first["position"]["tracked"]
    bot = daemon.until_holding()
    assert bot["pid"] != first["pid"]
    assert bot["restarts"] == 0
    assert len(exchange.executed(side="buy")) == 2
    assert daemon.stop() == 0
    own = OWN_BTC + Decimal(first["position"]["tracked"])
    assert 0 <= exchange.bots_base(own=own) < CRUMB
    assert exchange.lowest() >= OWN_BTC


def test_abandon_order_of_unknown_outcome_frees_the_account_for_its_other_bots(
    daemon: Daemon, exchange: Exchange
) -> None:
    """Bot b1 waits in the settlement of an order of b2, which is decided under its hands."""
    exchange.list_bots(bot_row("b1"))
    daemon.start(EXECSVC_MAX_RESTARTS="1000")
    daemon.until_holding("b1")
    seen = len(exchange.orders())
    exchange.fault("hang", call="order", seconds=4, execute=False, times=None)
    exchange.list_bots(bot_row("b1"), bot_row("b2"))
    eventually(lambda: len(exchange.orders()) > seen, "the order of b2 is out")
    exchange.fault("status", call="balance", status=500, detail=REVOKED, times=None)
    eventually(lambda: "settling" in str(daemon.bot("b2")["last_error"]), "b2 settles it")
    exchange.list_bots(bot_row("b1", params={"hold_duration": 1}), bot_row("b2"))

    def b1_settles() -> bool:
        holder = daemon.bot("b2")["pid"]
        if holder is not None and "settling" in str(daemon.bot("b2")["last_error"]):
            os.kill(holder, signal.SIGKILL)  # then b1 has the turn
        return "of bot b2" in str(daemon.bot("b1")["last_error"])

    eventually(b1_settles, "b1 settles it", 60)

    done = daemon.command("release", "b2", "--abandon", "--yes")
    assert done.returncode == 0, done
    state = store_in(daemon.state_dir).read("b2")
    assert state is not None
    assert not state.unsettled
    exchange.heal()
    eventually(lambda: exchange.executed(side="sell"), "b1 sells", 60)
    daemon.until_holding("b2", 60)
    assert daemon.bot("b1")["state"] == "RUNNING"
    assert "bot_failed" not in daemon.log
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_abandoned_position_is_shown_over_a_restart_and_told(
    daemon: Daemon, exchange: Exchange
) -> None:
    receiver = Receiver()
    try:
        daemon.environ["EXECSVC_ALERT_URLS"] = receiver.url
        tracked = stuck(daemon, exchange)
        assert daemon.command("release", "b1", "--abandon", "--yes").returncode == 0
        message = receiver.heard("a position is given up")
        assert f"{tracked} BTC (BTC/USDT, key k1)" in message["message"]
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        eventually(lambda: not daemon.family(), "every process ends by itself", 60)
        daemon.start()
        listed_again(exchange)
        bot = daemon.until("STOPPED")
        assert [one["tracked"] for one in bot["abandoned"]] == [tracked]
        assert daemon.health()[1]["status"] == "ok"
        assert daemon.stop() == 0
        assert receiver.titles.count("a position is given up") == 1
    finally:
        receiver.close()


def test_abandon_without_a_daemon_is_booked_by_the_command(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_ON_SHUTDOWN="hold")
    tracked = daemon.until_holding()["position"]["tracked"]
    assert daemon.stop() == 0
    released = daemon.command("release", "b1")
    assert released.returncode == 75
    assert "the decision takes effect at the next start" in released.stderr
    done = daemon.command("release", "b1", "--abandon", "--yes")
    assert done.returncode == 0, done
    assert f"{tracked} BTC" in done.stdout
    state = store_in(daemon.state_dir).read("b1")
    assert state is not None
    assert not state.is_open
    exchange.list_bots()
    daemon.start()
    listed_again(exchange)
    assert [one["tracked"] for one in abandoned(daemon)] == [tracked]
    assert not exchange.orders(side="sell")
    assert daemon.stop() == 0
    assert exchange.bots_base() == Decimal(tracked)


def test_release_coins_that_are_missing_waits_and_says_what_was_booked(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    tracked = Decimal(daemon.until_holding()["position"]["tracked"])
    done = daemon.command("release", "b1")
    assert done.returncode == 0, done
    assert "no coins are missing, nothing was booked" in done.stdout
    exchange.by_hand(kind="withdraw", asset="BTC", amount="1.01")
    done = daemon.command("release", "b1")
    assert done.returncode == 0, done
    assert "0.01 BTC booked as gone: released by an operator" in done.stdout
    left = tracked - Decimal("0.01")
    eventually(lambda: Decimal(daemon.bot()["position"]["tracked"]) == left, "it is shown")
    assert daemon.stop() == 0
    eventually(lambda: not daemon.family(), "no process of it lives")


def test_release_of_a_held_bot_that_is_flat_waits_for_nothing(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    assert daemon.command("stop", "b1").returncode == 0
    assert daemon.command("release", "b1").returncode == 0
    daemon.until_holding()
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)
