"""BotService's calls beyond the listing are used as far as it answers, without a setting."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from support.bot_process import bot_row
from support.bot_service_front import UNHEARD, Asked, Fate, Front, front
from support.bot_service_wire import FILLED, order_of
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import assert_over, titled

from execsvc.sandbox.server import Sandbox


@pytest.fixture
def between(daemon: Daemon, sandbox: Sandbox) -> Iterator[Front]:
    """The server that the daemon takes for BotService."""
    for made in front(sandbox.url):
        daemon.environ["EXECSVC_BOT_SERVICE_URL"] = made.url
        yield made


def is_listing(asked: Asked) -> bool:
    return (asked.method, asked.path) == ("GET", "/bots")


def listing_only(asked: Asked) -> Fate | None:
    """A service that knows ``GET /bots?status=RUNNING`` and nothing else."""
    if not is_listing(asked):
        return Fate(False, 404)
    return None if asked.status == "RUNNING" else Fate(False, 422)


def listings(between: Front) -> int:
    return sum(is_listing(asked) and asked.status == "RUNNING" for asked in between.asked)


def listed_again(between: Front, times: int = 5) -> None:
    """Wait for so many listings more."""
    seen = listings(between)
    eventually(lambda: listings(between) >= seen + times, f"{times} listings")


def told(exchange: Exchange, bot_id: str = "b1") -> tuple[str, ...]:
    return tuple(entry.split()[1] for entry in order_of(exchange.told()).get(bot_id, []))


def words(text: str) -> str:
    """``text`` without the breaks of its lines."""
    return " ".join(text.split())


def reports(daemon: Daemon) -> dict[str, Any]:
    found: dict[str, Any] = daemon.status()["reports"]
    return found


def test_auto_by_default_front_end_starts_and_stops_a_bot_and_sees_its_orders(
    daemon: Daemon, exchange: Exchange, sandbox: Sandbox
) -> None:
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start()
    eventually(lambda: exchange.bot_status() == "RUNNING", "the row is RUNNING")
    daemon.until_holding()
    eventually(lambda: told(exchange) == FILLED, "the buy is reported")
    eventually(lambda: reports(daemon)["taken"] is True, "reports are taken")
    check = daemon.command("check").stdout
    assert "(1 RUNNING, 0 BOOTING, 0 STOPPING; reports are taken)" in check
    exchange.change_bot("b1", status="STOPPING")
    eventually(lambda: exchange.bot_status() == "STOPPED", "the row is STOPPED")
    eventually(lambda: told(exchange) == FILLED * 2, "the sale is reported")
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.says("reports_off")
def test_auto_with_a_listing_only_service_trades_and_calls_nothing_else(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    between.rule = listing_only
    exchange.list_bots(bot_row("b1"), bot_row("b2"))
    daemon.start(EXECSVC_POLL_INTERVAL="1")
    daemon.until_holding("b1")
    daemon.until_holding("b2")
    eventually(lambda: reports(daemon)["taken"] is False, "reports are off")
    exchange.stop_bot("b2")
    daemon.until("STOPPED", "b2")
    listed_again(between)
    assert between.posts() == {"POST /orders": 1}
    assert {asked.path for asked in between.asked} == {"/bots", "/orders"}
    assert daemon.health()[1] == {"status": "ok", "service": "execution-service", "reasons": []}
    assert reports(daemon)["pending"] == 0
    assert reports(daemon)["last_error"] is None
    lines = [line for line in daemon.log.splitlines() if "takes no reports" in line]
    assert len(lines) == 1
    assert "INFO" in lines[0]
    for event in ("listing_failed", "report_failed", "bot_word_failed"):
        assert event not in daemon.log
    assert "BOOTING is refused, STOPPING is refused; reports are not taken" in (
        daemon.command("check").stdout
    )
    assert between.posts() == {"POST /orders": 1}
    assert daemon.stop() == 0
    daemon.start(EXECSVC_POLL_INTERVAL="1")
    eventually(lambda: between.posts() == {"POST /orders": 2}, "the next start tries again")
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


@pytest.mark.parametrize("status", [405, 501])
def test_auto_with_a_service_that_does_not_know_the_method_turns_reports_off(
    daemon: Daemon, exchange: Exchange, between: Front, status: int
) -> None:
    between.rule = lambda asked: Fate(False, status) if asked.path == "/orders" else None
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    eventually(lambda: reports(daemon)["taken"] is False, "reports are off")
    listed_again(between)
    assert between.posts()["POST /orders"] == 1
    assert daemon.health()[1]["status"] == "ok"
    assert daemon.stop() == 0


@pytest.mark.parametrize("status", [404, 405])
def test_a_bot_that_was_deleted_does_not_turn_the_reports_of_others_off(
    daemon: Daemon, exchange: Exchange, between: Front, status: int
) -> None:
    missing = Fate(False, 404, json.dumps({"detail": "Bot not found"}).encode())
    between.rule = lambda asked: missing if asked.path == "/orders" else None
    exchange.list_bots(bot_row("b1"), bot_row("b2"))
    daemon.start()
    daemon.until_holding("b1")
    daemon.until_holding("b2")
    eventually(lambda: between.posts()["POST /orders"] >= 2, "both are tried")
    between.rule = lambda asked: None
    eventually(lambda: told(exchange, "b1") == FILLED, "b1 is reported")
    eventually(lambda: told(exchange, "b2") == FILLED, "b2 is reported")
    plain = Fate(False, status)  # 405: a proxy's page during maintenance
    between.rule = lambda asked: plain if asked.path == "/orders" else None
    exchange.stop_bot("b1")
    daemon.until("STOPPED", "b1")
    eventually(lambda: reports(daemon)["last_error"], "it is refused")
    assert reports(daemon)["taken"] is True
    between.rule = lambda asked: None
    eventually(lambda: told(exchange, "b1") == FILLED * 2, "b1 is reported to its end")
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    "fate", [Fate(False, 500), Fate(False, 422), UNHEARD], ids=["500", "422", "hangs"]
)
def test_a_booting_bot_whose_query_fails_goes_on(
    daemon: Daemon, exchange: Exchange, between: Front, fate: Fate
) -> None:
    """Its row keeps BOOTING, as its start is not taken; then no call can show that it is BOOTING."""
    start = Fate(False, 500)
    between.rule = lambda asked: start if asked.path.endswith("/start") else None
    exchange.list_bots({**bot_row(), "status": "BOOTING"}, bot_row("b2"))
    daemon.start(EXECSVC_POLL_INTERVAL="1")
    daemon.until_holding("b1")
    daemon.until_holding("b2")
    pid = daemon.bot()["pid"]

    def failing(asked: Asked) -> Fate | None:
        if is_listing(asked) and asked.status != "RUNNING":
            return fate
        return start if asked.path.endswith("/start") else None

    between.rule = failing
    listed_again(between, 8)
    assert daemon.health()[1]["status"] == "ok"
    assert daemon.status()["poll"]["consecutive_failures"] == 0
    assert (daemon.bot()["state"], daemon.bot()["pid"]) == ("RUNNING", pid)
    exchange.change_bot("b2", status="STOPPED")
    daemon.until("STOPPED", "b2")
    assert daemon.bot()["pid"] == pid
    between.rule = lambda asked: None
    eventually(lambda: exchange.bot_status() == "RUNNING", "the row is RUNNING")
    assert daemon.bot()["pid"] == pid
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0


def test_a_booting_bot_is_not_sold_after_a_restart_at_which_its_query_fails(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    start = Fate(False, 500)
    between.rule = lambda asked: start if asked.path.endswith("/start") else None
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start()
    daemon.until_holding()
    daemon.kill_everything()

    def failing(asked: Asked) -> Fate | None:
        return Fate(False, 500) if is_listing(asked) and asked.status == "BOOTING" else None

    between.rule = failing
    daemon.start()
    listed_again(between, 6)
    assert exchange.executed(side="sell") == []
    between.rule = lambda asked: None
    eventually(lambda: exchange.bot_status() == "RUNNING", "the row is RUNNING")
    assert exchange.executed(side="sell") == []
    assert daemon.stop() == 0


def test_a_lifecycle_that_is_needed_fails_the_listing_as_it_did(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    between.rule = listing_only
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_BOT_LIFECYCLE="true")
    eventually(lambda: daemon.status()["poll"]["consecutive_failures"] >= 2, "it fails")
    assert daemon.status()["bots"] == []
    assert daemon.stop() == 0


@pytest.mark.parametrize("command", ["check", "doctor"])
def test_rows_that_wait_in_vain_are_a_warning_that_names_the_setting(
    daemon: Daemon, exchange: Exchange, between: Front, command: str
) -> None:
    rows = [{**bot_row(f"b{n}"), "status": "BOOTING"} for n in range(2)]
    exchange.list_bots(*rows, {**bot_row("b3"), "status": "STOPPING"}, bot_row("b4"))
    vain = "2 BOOTING and 1 STOPPING wait in vain: EXECSVC_BOT_LIFECYCLE is false"
    said = words(daemon.command(command, EXECSVC_BOT_LIFECYCLE="false").stdout)
    assert vain in said
    assert "1 bots to run (1 RUNNING, 2 BOOTING, 1 STOPPING; reports are not tried)" in said
    said = words(daemon.command(command).stdout)
    assert vain not in said
    assert "3 bots to run (1 RUNNING, 2 BOOTING, 1 STOPPING; reports are not tried)" in said
    assert between.posts() == {}


def test_off_asks_for_running_bots_only_and_has_no_process_for_reports(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_BOT_LIFECYCLE="false", EXECSVC_REPORT_LEDGER="false")
    daemon.until_holding()
    listed_again(between)
    assert {asked.status for asked in between.asked} == {"RUNNING"}
    assert titled(daemon, "execsvc: reports") == []
    assert daemon.status()["reports"] is None
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
