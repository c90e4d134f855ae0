"""Names of bots beside their ids, whatever they hold, and orders that say each thing once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import listed_again

TOKEN = "open-sesame-4711"
pytestmark = pytest.mark.usefixtures("listing_only")

HOSTILE = {
    "b1": "My BTC bot",
    "b2": "two\nlines\tand \x1b[31mred event=order_filled",
    "b3": "x" * 10_000,
    "b4": "бот №1 ✓ 机器人 \u202egnirts",
    "b5": f"leaks {TOKEN}",
}
SHOWN = {
    "b1": "My BTC bot",
    "b2": "two lines and ?[31mred event=order_filled",
    "b3": "x" * 59 + "…",
    "b4": "бот №1 ✓ 机器人 ?gnirts",
    "b5": "leaks ***",
}


def rows() -> list[dict[str, Any]]:
    """Bots with these names, the last two of which cannot run."""
    params = {"allocation_ratio": "0.01"}
    made = {n: {**bot_row(n, params=params), "name": name} for n, name in HOSTILE.items()}
    made["b4"]["pipeline"] = bot_row(strategy="nobody_knows_it")["pipeline"]
    made["b5"]["global_settings"] = {"exchange": "k1", "symbol": "BTCUSDT"}
    return list(made.values())


def run_to_the_end(daemon: Daemon, exchange: Exchange, form: str) -> None:
    """Trade, be degraded, and stop; all of it is in the log then."""
    exchange.list_bots(*rows())
    daemon.start(EXECSVC_LOG_FORMAT=form, EXECSVC_BOT_SERVICE_TOKEN=TOKEN)
    for bot_id in ("b1", "b2", "b3"):
        daemon.until_holding(bot_id)
    daemon.until("FAILED", "b4")
    daemon.until("INVALID", "b5")
    reasons = eventually(lambda: daemon.health()[1]["reasons"], "it is degraded")
    assert [reason for reason in reasons if reason.startswith(f"bot b4 ({SHOWN['b4']}) is FAILED")]
    assert daemon.bot("b5")["name"] == "leaks ***"
    assert daemon.bot("b3")["name"] == "x" * 200
    assert daemon.stop() == 0
    assert TOKEN not in daemon.log


def test_log_in_text_names_bots_on_one_line_and_says_each_thing_of_an_order_once(
    daemon: Daemon, exchange: Exchange
) -> None:
    run_to_the_end(daemon, exchange, "text")
    lines = daemon.log.splitlines()
    assert all(line.isprintable() for line in lines)
    for bot_id, name in SHOWN.items():
        quoted = json.dumps(name, ensure_ascii=False) if " " in name else name
        named = [line for line in lines if f"bot_id={bot_id} bot_name={quoted} " in line]
        assert len(named) == sum(f"bot_id={bot_id} " in line for line in lines) > 0
    (order,) = (
        line for line in lines if "bot_id=b1 " in line and "event=order_filled bought" in line
    )
    fill = exchange.orders("k1")
    assert len(fill) >= 3
    for said in (" at ", "(loop 1)", "order_id=", "exchange_id=", "base_fee=", "key_id="):
        assert order.count(said) == 1, (said, order)
    for repeated in ("side=", "amount=", "filled=", "average=", "reason="):
        assert repeated not in order


def test_log_names_bots_also_where_bot_service_is_told_of_them(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*({**row, "status": "BOOTING"} for row in rows()[:2]))
    daemon.start(EXECSVC_LOG_FORMAT="json", EXECSVC_BOT_LIFECYCLE="true")
    for bot_id in ("b1", "b2"):
        eventually(lambda bot_id=bot_id: exchange.bot_status(bot_id) == "RUNNING", bot_id)
        daemon.until_holding(bot_id)
    assert daemon.stop() == 0
    records = [json.loads(line) for line in daemon.log.splitlines()]
    for bot_id in ("b1", "b2"):
        of_bot = [record for record in records if record.get("bot_id") == bot_id]
        assert "bot_start_told" in {record["event"] for record in of_bot}
        assert {record.get("bot_name") for record in of_bot} == {SHOWN[bot_id]}


def test_log_in_json_has_name_and_order_in_fields(daemon: Daemon, exchange: Exchange) -> None:
    run_to_the_end(daemon, exchange, "json")
    records = [json.loads(line) for line in daemon.log.splitlines()]
    for bot_id, name in SHOWN.items():
        of_bot = [record for record in records if record.get("bot_id") == bot_id]
        assert {record["bot_name"] for record in of_bot} == {name}
    order = next(
        one for one in records if one.get("event") == "order_filled" and one["bot_id"] == "b1"
    )
    assert order["side"] == "buy"
    assert order["amount"] == order["filled"]
    assert order["reason"] == "loop 1"


@pytest.mark.says("listing_may_be_cut")
def test_listing_without_paging_of_exactly_100_rows_is_warned_of_once(
    daemon: Daemon, exchange: Exchange
) -> None:
    hundred = [{"id": f"x{n}", "status": "RUNNING"} for n in range(100)]
    exchange.list_bots(*hundred[:99])
    daemon.start(EXECSVC_PAGE_SIZE="0")
    eventually(lambda: daemon.status()["counts"] == {"INVALID": 99}, "99 are listed")
    assert "listing_may_be_cut" not in daemon.log
    for _ in range(2):
        exchange.list_bots(*hundred)
        eventually(lambda: daemon.status()["counts"]["INVALID"] == 100, "100 are listed")
        listed_again(exchange)
        exchange.list_bots(*hundred[:99])
        listed_again(exchange)
    assert daemon.log.count("event=listing_may_be_cut") == 1
    exchange.list_bots(*hundred)
    checked = daemon.command("check", EXECSVC_PAGE_SIZE="0")
    assert "sent exactly 100 rows" in checked.stdout
    assert "sent exactly 100 rows" not in daemon.command("check").stdout
    assert daemon.stop() == 0
