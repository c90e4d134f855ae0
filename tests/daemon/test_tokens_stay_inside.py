"""Tokens of the services appear nowhere, also when a service throws them back at us."""

from __future__ import annotations

import json

from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange

LISTING_TOKEN = "hush-listing-1147"
ADAPTER_TOKEN = "hush-adapter-7411"
ECHO = f"you sent Authorization: Bearer {ADAPTER_TOKEN}"


def test_tokens_that_are_echoed_are_told_nobody(daemon: Daemon, exchange: Exchange) -> None:
    names = ["ticker", "balance", "order", "symbol", "final"]
    for name in names:
        exchange.fund(name)
    exchange.list_bots(*[bot_row(name, key=name) for name in names])
    for call, status in (("ticker", 500), ("balance", 401), ("order", 500)):
        match = {"key_id": call}
        exchange.fault("status", call=call, status=status, detail=ECHO, match=match, times=3)
    match = {"key_id": "symbol"}
    exchange.fault("patch", call="ticker", body={"symbol": ECHO}, match=match, times=3)
    wrong = {"details": {"symbol": ADAPTER_TOKEN, "status": ECHO, "id": ECHO}}
    exchange.fault("patch", call="order", body=wrong, match={"key_id": "final"}, times=1)
    tokens = {
        "EXECSVC_BOT_SERVICE_TOKEN": LISTING_TOKEN,
        "EXECSVC_EXCHANGE_ADAPTER_TOKEN": ADAPTER_TOKEN,
    }
    daemon.start(**tokens, EXECSVC_LOG_LEVEL="TRACE")
    seen = [json.dumps(daemon.status())]
    for name in names:
        eventually(lambda name=name: exchange.executed(name), f"{name} bought at last", 60)
        seen.append(json.dumps(daemon.status()))
        daemon.until_holding(name)
        seen.append(daemon.command("log", name, "--json", **tokens).stdout)
    exchange.fault("status", call="bots", status=403, detail=f"no {LISTING_TOKEN}", times=None)
    eventually(lambda: daemon.status()["poll"]["consecutive_failures"], "a listing fails")
    seen += [json.dumps(daemon.status()), json.dumps(daemon.health())]
    for process in daemon.family():
        seen.append(process.title)
    exchange.heal()
    assert daemon.stop() == 0
    asked = exchange.call("GET", "/sandbox/requests?last=9000")["last"]
    assert {f"Bearer {token}" for token in tokens.values()} == {r["authorization"] for r in asked}
    for text in (daemon.log, *seen):
        for token in tokens.values():
            assert token not in text
    assert daemon.log.count("***") >= 5
