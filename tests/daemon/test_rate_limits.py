"""A service that asks to be left alone is left alone, by all bots of that account."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.plugins import Plugins

PAUSE = 6.0
UNDER_WAY = 2.0
"""Seconds for what had been begun before the answer was read."""
EAGER = """
def execute(self, ctx):
    ctx.buy(Decimal("0.001"), "more")
"""


def moment(text: str) -> datetime:
    """A time as the sandbox writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def requests_seen(exchange: Exchange) -> list[dict[str, Any]]:
    """The requests to both services, in order."""
    seen: list[dict[str, Any]] = exchange.call("GET", "/sandbox/requests?last=9000")["last"]
    return seen


def of_account(exchange: Exchange, key: str) -> list[dict[str, Any]]:
    """The requests for an account, in order."""
    return [
        request
        for request in requests_seen(exchange)
        if key in (request["query"].get("key_id"), request["path"].removeprefix("/balance/"))
        or f'"key_id": "{key}"' in request["body"]
    ]


@pytest.mark.parametrize(
    ("call", "status"), [("ticker", 429), ("balance", 429), ("order", 429), ("order", 503)]
)
def test_a_pause_is_kept_by_all_bots_and_liquidations_go_first(
    daemon: Daemon, exchange: Exchange, tmp_path: Path, call: str, status: int
) -> None:
    plugins = Plugins(tmp_path)
    plugins.add("eager", EAGER)
    plugins.add("holder", "")
    exchange.fund("k1", usdt="1000000")
    exchange.fund("k2", usdt="1000000")
    leaving = bot_row("leaving", strategy="holder")
    staying = [bot_row(f"eager{n}", strategy="eager", interval=0.3) for n in range(3)]
    staying.append(bot_row("other", key="k2", strategy="eager", interval=0.3))
    exchange.list_bots(leaving, *staying)
    daemon.start(**plugins.environ)
    daemon.until_holding("leaving", 60)
    eventually(lambda: exchange.executed("k1"), "they buy")
    exchange.fault(
        "status",
        call=call,
        status=status,
        match={"key_id": "k1"},
        headers={"Retry-After": str(int(PAUSE))},
    )
    told = eventually(lambda: _told(exchange, status), "it was told to stay away", 60)
    exchange.list_bots(*staying)
    stopped = daemon.until("STOPPED", "leaving", 60)
    assert stopped["position"]["side"] is None
    begin = moment(told["answered_at"])
    quiet = (begin + timedelta(seconds=UNDER_WAY), begin + timedelta(seconds=PAUSE - 0.5))
    for request in of_account(exchange, "k1"):
        at = moment(request["at"])
        assert not quiet[0] < at < quiet[1], f"asked {at - begin} into the pause: {request}"
    elsewhere = [moment(request["at"]) for request in of_account(exchange, "k2")]
    assert any(quiet[0] < at < quiet[1] for at in elsewhere), "the other account was held up"
    orders = [o for o in exchange.orders("k1") if moment(o["received_at"]) > quiet[0]]
    assert orders[0]["side"] == "sell", orders[0]
    assert daemon.stop(90) == 0
    assert exchange.lowest("k1") >= OWN_BTC


def _told(exchange: Exchange, status: int) -> dict[str, Any]:
    found = [r for r in of_account(exchange, "k1") if (r["answer"] or "").startswith(str(status))]
    return found[0] if found else {}


@pytest.mark.usefixtures("listing_only")
def test_bot_service_is_left_alone_too(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    exchange.fault("status", call="bots", status=503, headers={"Retry-After": str(int(PAUSE))})
    eventually(lambda: daemon.status()["poll"]["consecutive_failures"], "it was told")
    eventually(lambda: not daemon.status()["poll"]["consecutive_failures"], "it lists again", 60)
    listings = [r for r in requests_seen(exchange) if r["call"] == "bots"]
    told = next(n for n, r in enumerate(listings) if r["answer"].startswith("503"))
    waited = moment(listings[told + 1]["at"]) - moment(listings[told]["at"])
    assert waited >= timedelta(seconds=PAUSE - 0.5)
    assert exchange.executed(side="sell") == []


@pytest.mark.usefixtures("listing_only")
def test_whoever_asks_for_a_listing_gets_one_in_spite_of_a_pause(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    exchange.fault("status", call="bots", status=503, headers={"Retry-After": "3600"})
    eventually(lambda: daemon.status()["poll"]["consecutive_failures"], "it was told")
    assert daemon.post("/poll").status_code == 202
    eventually(lambda: not daemon.status()["poll"]["consecutive_failures"], "it lists again")


def test_ban_stops_reads_of_all_bots_but_no_exit(
    daemon: Daemon, exchange: Exchange, tmp_path: Path
) -> None:
    plugins = Plugins(tmp_path)
    plugins.add("eager", EAGER)
    plugins.add("holder", "")
    exchange.fund("k1", usdt="1000000")
    leaving = bot_row("leaving", strategy="holder")
    staying = [bot_row(f"eager{n}", strategy="eager", interval=0.3) for n in range(3)]
    exchange.list_bots(leaving, *staying)
    daemon.start(**plugins.environ)
    daemon.until_holding("leaving", 60)
    eventually(lambda: exchange.executed("k1"), "they buy")
    until = int((datetime.now(timezone.utc) + timedelta(hours=1)).timestamp() * 1000)
    text = f'binance {{"code":-1003,"msg":"Way too many requests; IP banned until {until}"}}'
    exchange.fault("status", call="ticker", status=500, detail=text, match={"key_id": "k1"})
    eventually(lambda: all(_banned(daemon, row) for row in staying), "all of them heard", 60)
    exchange.list_bots(*staying)
    stopped = daemon.until("STOPPED", "leaving", 60)
    assert stopped["position"]["side"] is None
    assert exchange.orders("k1")[-1]["side"] == "sell"
    asked = len(of_account(exchange, "k1"))
    ticks = {row["id"]: daemon.bot(row["id"])["ticks"] for row in staying}
    eventually(
        lambda: all(daemon.bot(bot_id)["ticks"] > seen + 4 for bot_id, seen in ticks.items()),
        "they tick on",
        60,
    )
    assert len(of_account(exchange, "k1")) == asked
    assert daemon.log.count("nothing is read for account k1 until ") == 1
    said = [line for line in daemon.log.splitlines() if "tick skipped" in line]
    assert not [line for line in said if "banned" in line], "one line has said it for all"
    assert daemon.stop(90) == 0
    assert exchange.lowest("k1") >= OWN_BTC


def _banned(daemon: Daemon, row: dict[str, Any]) -> bool:
    return "banned by the exchange for another" in (daemon.bot(row["id"])["last_error"] or "")
