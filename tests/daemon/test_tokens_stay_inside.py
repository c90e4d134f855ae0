"""Tokens of the services appear nowhere, also when a service throws them back at us."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest
import requests
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


FRONT_TOKEN = "hush-front-\\-2222"
ALL = {
    "EXECSVC_BOT_SERVICE_TOKEN": LISTING_TOKEN,
    "EXECSVC_EXCHANGE_ADAPTER_TOKEN": ADAPTER_TOKEN,
    "EXECSVC_HTTP_TOKEN": FRONT_TOKEN,
}


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_tokens_that_another_service_echoes_are_told_nobody(
    daemon: Daemon, exchange: Exchange, log_format: str
) -> None:
    echo = f"you know {LISTING_TOKEN}, {ADAPTER_TOKEN} and {FRONT_TOKEN}"
    row = bot_row()
    row["name"] = echo
    exchange.list_bots(row, bot_row("b2", symbol=echo), bot_row("b3", strategy=FRONT_TOKEN))
    exchange.fault("status", call="ticker", status=500, detail=echo, times=3)
    headers = {"Authorization": f"Bearer {FRONT_TOKEN}"}
    daemon.start(**ALL, EXECSVC_LOG_FORMAT=log_format, EXECSVC_LOG_LEVEL="TRACE", wait=False)

    def shown() -> list[str]:
        return [daemon.get(path, headers=headers).text for path in ("/status", "/health", "/")]

    def bots() -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = daemon.get("/status", headers=headers).json()["bots"]
        except requests.RequestException:
            return []
        return found

    eventually(lambda: any(b["position"]["side"] == "BUY" for b in bots()), "b1 holds", 60)
    eventually(lambda: len(bots()) == 3, "all are shown", 60)
    seen = shown()
    exchange.fault("status", call="bots", status=403, detail=echo, times=None)
    eventually(lambda: "you know ***" in (shown()[0]), "a listing fails", 60)
    halted = daemon.command("halt", "--reason", echo, **ALL)
    assert halted.returncode == 0, halted.stderr
    seen += [*shown(), halted.stdout, halted.stderr]
    exchange.heal()
    seen += [daemon.command("log", "b1", "--json", **ALL).stdout]
    daemon.signal(signal.SIGUSR1)
    eventually(lambda: "status_shown" in daemon.log, "the status is logged", 60)
    seen += [process.title for process in daemon.family()]
    assert daemon.stop() == 0
    assert halted.stdout.count("***") == 3
    for text in (daemon.log, *seen):
        for token in ALL.values():
            assert token not in text
            assert json.dumps(token)[1:-1] not in text
    assert "you know ***, *** and ***" in daemon.log
