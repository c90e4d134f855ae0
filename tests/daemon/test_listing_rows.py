"""Rows that cannot be used, beside good ones and instead of them."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.lasting import Lasting
from support.verdicts import assert_over, listed_again, states

from execsvc.model.bot import row_name


def broken(bot_id: str, **members: Any) -> dict[str, Any]:
    """A row with members that no row should have."""
    return {**bot_row(bot_id), **members}


MALFORMED = {
    "no settings": broken("x1", global_settings=None),
    "no pipeline": broken("x2", pipeline=[]),
    "no key": broken("x3", global_settings={"symbol": "BTC/USDT"}),
    "no symbol": broken("x4", global_settings={"exchange": "k1", "symbol": "BTCUSDT"}),
    "backtest": broken("x5", global_settings={**bot_row()["global_settings"], "mode": "BACKTEST"}),
    "interval": bot_row("x6", interval=0.001),
    "allocation": bot_row("x7", allocation="much"),
    "no strategy": broken("x8", pipeline={"strategy": {"id": ""}}),
}


def test_malformed_rows_disturb_nobody(daemon: Daemon, exchange: Exchange) -> None:
    nameless = [None, 7, "row", [], {"status": "RUNNING"}, broken("x", id=12), broken("\n")]
    nameless += [broken("x", id=None, name="No id")] * 3
    exchange.list_bots(*nameless[:3], bot_row("b1"), *MALFORMED.values(), *nameless[3:])
    daemon.start()
    daemon.until_holding("b1")
    seen = states(daemon)
    assert {seen[row["id"]] for row in MALFORMED.values()} == {"INVALID"}
    status = daemon.status()
    invalid = [bot for bot in status["bots"] if bot["state"] == "INVALID"]
    assert len(invalid) == status["counts"]["INVALID"] == len(MALFORMED) + len(nameless)
    assert all(bot["last_error"] for bot in invalid)
    names = Counter(bot["name"] for bot in invalid)
    assert names == Counter(map(row_name, [*MALFORMED.values(), *nameless]))
    assert status["running_bots"] == 1
    assert status["active_runners"] == ["b1"]
    printed = daemon.command("status").stdout
    assert printed.count("INVALID") == len(invalid) + 1
    assert "No id: id is missing: a string of 1 to 200 printable characters is needed" in printed
    assert daemon.get("/").text.count("INVALID</span>") == len(invalid)
    scraped = daemon.get("/metrics").text
    assert f'execsvc_bots{{state="INVALID"}} {len(invalid)}.0' in scraped
    exchange.list_bots(bot_row("b1"), bot_row("x1"))
    eventually(lambda: states(daemon).get("x1") == "RUNNING", "a row that was mended runs")
    assert not {"x2", "x8", ""} & states(daemon).keys()
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


@pytest.fixture(scope="module")
def holding(lasting: Lasting) -> Iterator[Lasting]:
    """A daemon with a bot that holds a position, to the end of all that is tried with it."""
    daemon, exchange = lasting
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    yield lasting
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.parametrize(
    "change",
    [
        {"pipeline": None},
        {"global_settings": {**bot_row()["global_settings"], "mode": "BACKTEST"}},
        {"pipeline": bot_row(strategy="nobody_knows_it")["pipeline"]},
        {"pipeline": bot_row(params={"allocation_ratio": "7"})["pipeline"]},
        {"pipeline": bot_row(params={"hold_duration": "soon"})["pipeline"]},
    ],
    ids=["malformed", "backtest", "unknown strategy", "ratio", "text"],
)
def test_a_refused_change_is_no_more_than_an_error(
    holding: Lasting, change: dict[str, Any]
) -> None:
    daemon, exchange = holding
    exchange.list_bots(bot_row())
    eventually(lambda: daemon.bot()["last_error"] is None, "nothing is wrong before")
    before = daemon.until_holding()
    exchange.change_bot("b1", **change)
    said = eventually(lambda: daemon.bot()["last_error"], "it is said")
    listed_again(exchange, 5)
    after = daemon.bot()
    assert after["last_error"] == said
    for name in ("pid", "state", "restarts", "position", "strategy", "mode"):
        assert after[name] == before[name], name
    assert len(exchange.orders()) == 1
    exchange.list_bots(bot_row())
    eventually(lambda: daemon.bot()["last_error"] is None, "the change was taken back")
    assert daemon.bot()["pid"] == before["pid"]


def test_an_invalid_row_without_a_runner_leaves_no_position(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    exchange.list_bots(broken("b1", pipeline="none"))
    daemon.start()
    bot = daemon.until("INVALID")
    eventually(lambda: exchange.executed(side="sell"), "it is sold")
    bot = daemon.until("INVALID")
    assert bot["position"]["side"] is None
    assert "pipeline" in bot["last_error"]
    exchange.list_bots(bot_row())
    daemon.until_holding()
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_an_id_listed_twice_is_one_bot_by_its_first_valid_row(
    daemon: Daemon, exchange: Exchange
) -> None:
    first = bot_row("b1", params={"hold_duration": 1000})
    exchange.list_bots(broken("b1", pipeline=None), first, bot_row("b1", key="k2"))
    daemon.start()
    bot = daemon.until_holding()
    listed_again(exchange, 4)
    assert daemon.bot()["pid"] == bot["pid"]
    assert bot["key_id"] == "k1"
    assert len(daemon.status()["bots"]) == 1
    assert exchange.account("k2") == {} or exchange.orders("k2") == []
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_ids_of_any_script_have_a_ledger_each(daemon: Daemon, exchange: Exchange) -> None:
    ids = ["../../etc/passwd", "a/b", "a_b", "бот №1 ✓", "x" * 200, ".", "%2e%2e"]
    exchange.list_bots(*[bot_row(n, params={"allocation_ratio": "0.01"}) for n in ids])
    daemon.start()
    for bot_id in ids:
        daemon.until_holding(bot_id)
    ledgers = list((daemon.state_dir / "bots").glob("*.db"))
    assert len(ledgers) == len(ids)
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=len(ids))
