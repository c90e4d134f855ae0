"""One start is one session: by BotService's own tables, whatever answers are lost and whatever dies."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from support.bot_process import bot_row
from support.bot_service_front import LOST, Asked, Fate, Front, front
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.store_files import kept_sessions
from support.verdicts import all_hold, rows, titled

from execsvc.sandbox.server import Sandbox


@pytest.fixture
def between(daemon: Daemon, sandbox: Sandbox) -> Iterator[Front]:
    """The server that the daemon takes for BotService."""
    for made in front(sandbox.url):
        daemon.environ["EXECSVC_BOT_SERVICE_URL"] = made.url
        yield made


def start(exchange: Exchange, *bot_ids: str) -> None:
    for bot_id in bot_ids or ("b1",):
        exchange.change_bot(bot_id, status="BOOTING")


def until(exchange: Exchange, status: str, *bot_ids: str) -> None:
    wanted = dict.fromkeys(bot_ids or ("b1",), status)
    eventually(lambda: {key: exchange.bot_status(key) for key in wanted} == wanted, f"{wanted}")


def sessions(exchange: Exchange, bot_id: str = "b1") -> list[dict[str, Any]]:
    found = exchange.tables()["sessions"]
    return [session for session in found if session["bot_id"] == bot_id]


def judge(exchange: Exchange, starts: int, bot_id: str = "b1", ended: bool = True) -> None:
    """Sessions are starts, none of an emergency; each holds a buy and the sale of it."""
    found = sessions(exchange, bot_id)
    assert [session["opened_by"] for session in found] == ["start"] * starts
    assert [session["status"] for session in found[:-1]] == ["ENDED"] * (starts - 1)
    assert found[-1]["status"] == ("ENDED" if ended else "ACTIVE")
    for session in found:
        sides = [order["side"] for order in session["orders"]]
        whole = ["BUY", "SELL"] if session["status"] == "ENDED" else ["BUY"]
        assert sides == whole, found
        assert {order["status"] for order in session["orders"]} == {"FILLED"}


def all_reported(exchange: Exchange) -> None:
    """Every order of the exchange has one execution in BotService."""
    wanted = sorted(order["client_order_id"] for order in exchange.executed())

    def told() -> bool:
        executions = exchange.tables()["executions"]
        return sorted(one["exchange_trade_id"] for one in executions) == wanted

    eventually(told, "every order of the exchange has its execution")


def orders_told(exchange: Exchange, count: int, bot_id: str = "b1") -> None:
    def told() -> bool:
        found = [order for one in sessions(exchange, bot_id) for order in one["orders"]]
        return len(found) == count and all(order["status"] == "FILLED" for order in found)

    eventually(told, f"{count} orders of {bot_id} are told")


def test_starts_and_stops_each_make_one_session_with_its_orders(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    ids = [f"b{n}" for n in range(4)]
    exchange.list_bots(*({**row, "status": "STOPPED"} for row in rows(4)))
    daemon.start()
    for _ in range(2):
        start(exchange, *ids)
        until(exchange, "RUNNING", *ids)
        all_hold(daemon, 4)
        for bot_id in ids:
            exchange.change_bot(bot_id, status="STOPPING")
        until(exchange, "STOPPED", *ids)
    all_reported(exchange)
    for bot_id in ids:
        judge(exchange, 2, bot_id)
    assert daemon.stop() == 0


def test_start_whose_answer_is_lost_is_one_session(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    def lost(asked: Asked) -> Fate | None:
        return LOST if asked.path.endswith("/start") else None

    between.rule = lost
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start()
    until(exchange, "RUNNING")
    daemon.until_holding()
    orders_told(exchange, 1)
    exchange.change_bot("b1", status="STOPPING")
    until(exchange, "STOPPED")
    all_reported(exchange)
    judge(exchange, 1)
    assert daemon.stop() == 0


def test_order_whose_answer_is_lost_is_told_once(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    lost = iter([True, False, True])
    between.rule = lambda asked: (
        LOST if (asked.method, asked.path) == ("POST", "/orders") and next(lost, False) else None
    )
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start()
    until(exchange, "RUNNING")
    daemon.until_holding()
    orders_told(exchange, 1)
    exchange.change_bot("b1", status="STOPPING")
    until(exchange, "STOPPED")
    all_reported(exchange)
    judge(exchange, 1)
    assert daemon.stop() == 0


def test_killed_reporting_process_between_order_and_its_answer_tells_it_once(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    between.rule = lambda asked: LOST if (asked.method, asked.path) == ("POST", "/orders") else None
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start(EXECSVC_REQUEST_TIMEOUT="10")
    eventually(lambda: any(one["orders"] for one in sessions(exchange)), "the order is taken")
    for process in titled(daemon, "execsvc: reports"):
        process.kill()
    between.rule = lambda asked: None
    orders_told(exchange, 1)
    exchange.change_bot("b1", status="STOPPING")
    until(exchange, "STOPPED")
    judge(exchange, 1)
    assert daemon.stop() == 0


@pytest.mark.parametrize("call", ["/start", "/orders"])
def test_everything_killed_while_the_word_is_on_its_way_is_one_session(
    daemon: Daemon, exchange: Exchange, between: Front, call: str
) -> None:
    def lost(asked: Asked) -> Fate | None:
        return LOST if asked.method == "POST" and asked.path.endswith(call) else None

    between.rule = lost
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start(EXECSVC_REQUEST_TIMEOUT="10")
    eventually(lambda: any(map(lost, between.asked)), "it is on its way")
    until(exchange, "RUNNING")
    daemon.until_holding()
    daemon.kill_everything()
    between.rule = lambda asked: None
    daemon.start()
    daemon.until_holding()
    orders_told(exchange, 1)
    exchange.change_bot("b1", status="STOPPING")
    until(exchange, "STOPPED")
    all_reported(exchange)
    judge(exchange, 1)
    assert daemon.stop() == 0


def test_bot_found_running_after_a_restart_goes_on_in_its_session(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start(EXECSVC_ON_SHUTDOWN="hold")
    until(exchange, "RUNNING")
    daemon.until_holding()
    orders_told(exchange, 1)
    assert daemon.stop() == 0
    daemon.start()
    daemon.until_holding()
    exchange.change_bot("b1", status="STOPPING")
    until(exchange, "STOPPED")
    all_reported(exchange)
    judge(exchange, 1)
    assert daemon.stop() == 0


@pytest.mark.long
def test_stop_waits_for_the_reports_and_a_late_one_carries_its_session(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    """The sale cannot be reported: /stop is sent after a minute, and the next start is another session."""

    def failing(asked: Asked) -> Fate | None:
        return Fate(False, 500) if asked.path == "/orders" else None

    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start(EXECSVC_POLL_INTERVAL="1")
    until(exchange, "RUNNING")
    daemon.until_holding()
    orders_told(exchange, 1)
    between.rule = failing
    exchange.change_bot("b1", status="STOPPING")
    daemon.until("STOPPED")
    eventually(lambda: any(map(failing, between.asked)), "the sale is tried")
    assert exchange.bot_status() == "STOPPING"
    until(exchange, "STOPPED")
    start(exchange)
    until(exchange, "RUNNING")
    daemon.until_holding()
    between.rule = lambda asked: None
    orders_told(exchange, 3)
    all_reported(exchange)
    judge(exchange, 2, ended=False)
    assert daemon.stop() == 0


def test_start_under_way_while_the_settings_are_read_again_is_one_session(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    """BotService takes two seconds longer than the process that waits for its answer lives."""
    arrived, replaced, again = threading.Event(), threading.Event(), threading.Event()

    def slow(asked: Asked) -> Fate | None:
        if asked.path.endswith("/start") and arrived.is_set():
            again.set()
        elif asked.path.endswith("/start"):
            arrived.set()
            replaced.wait(60)
            again.wait(2)
        return None

    between.rule = slow
    file = daemon.folder / "execsvc.env"
    file.write_text(f"EXECSVC_POLL_INTERVAL={daemon.environ.pop('EXECSVC_POLL_INTERVAL')}\n")
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start("--env-file", str(file), EXECSVC_REQUEST_TIMEOUT="20")
    eventually(arrived.is_set, "it is on its way")
    (before,) = titled(daemon, "execsvc: reports")
    file.write_text("EXECSVC_POLL_INTERVAL=0.3\n")
    daemon.signal(signal.SIGHUP)
    eventually(
        lambda: titled(daemon, "execsvc: reports") not in ([], [before]), "another process reports"
    )
    replaced.set()
    until(exchange, "RUNNING")
    daemon.until_holding()
    orders_told(exchange, 1)
    exchange.change_bot("b1", status="STOPPING")
    until(exchange, "STOPPED")
    judge(exchange, 1)
    assert between.posts()["POST /bots/b1/start"] == 1
    assert daemon.stop() == 0


def test_start_on_paper_after_one_that_traded_is_a_session_of_its_own(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start()
    until(exchange, "RUNNING")
    daemon.until_holding()
    exchange.change_bot("b1", status="STOPPING")
    until(exchange, "STOPPED")
    paper = {**bot_row()["global_settings"], "mode": "PAPER"}
    exchange.change_bot("b1", status="BOOTING", global_settings=paper)
    until(exchange, "RUNNING")
    daemon.until_holding()
    traded, on_paper = sessions(exchange)
    assert (len(traded["orders"]), len(on_paper["orders"])) == (2, 0)

    named = [traded["id"], on_paper["id"]]
    eventually(lambda: kept_sessions(daemon.state_dir) == named, "each start has its session")
    assert daemon.stop() == 0


def test_row_that_still_shows_booting_does_not_start_a_second_session(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    """Every listing is an old one: the bot's row is BOOTING in it for ever."""
    row = {**bot_row(), "status": "BOOTING"}

    def old(asked: Asked) -> Fate | None:
        if asked.path != "/bots":
            return None
        return Fate(False, 200, json.dumps([row] if asked.status == "BOOTING" else []).encode())

    between.rule = old
    exchange.list_bots(row)
    daemon.start()
    until(exchange, "RUNNING")
    daemon.until_holding()
    orders_told(exchange, 1)
    for process in titled(daemon, "execsvc: reports"):
        process.kill()  # what it remembers of its words is gone
    looks = between.counts()["GET /bots/b1"]
    eventually(lambda: between.counts()["GET /bots/b1"] > looks, "the next one looks at the row")
    assert len(sessions(exchange)) == 1
    assert daemon.stop() == 0
    assert between.posts()["POST /bots/b1/start"] == 1
