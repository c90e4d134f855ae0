"""Alerts of the real program, judged by what an alert service on loopback got."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.receiver import SECRET, Receiver
from support.verdicts import assert_over, rows, titled

NO_SALE = {"call": "order", "match": {"side": "sell"}, "times": None}
SELDOM = {"EXECSVC_POLL_INTERVAL": "1", "EXECSVC_LIQUIDATION_RETRY": "2"}
"""For minutes in which the same fails again and again."""
REFUSED = {"strategy": "no_such_strategy_v1"}
ALERTS = "execsvc: alerts"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def told(daemon: Daemon, receiver: Receiver) -> Daemon:
    """The daemon, not started yet, with a receiver of alerts."""
    daemon.environ["EXECSVC_ALERT_URLS"] = receiver.url
    return daemon


@pytest.mark.long
@pytest.mark.says("alert_sent")
def test_a_liquidation_that_fails_and_its_all_clear_also_across_a_death(
    daemon: Daemon, exchange: Exchange, receiver: Receiver
) -> None:
    daemon.environ |= SELDOM
    exchange.list_bots(bot_row())
    told(daemon, receiver).start()
    tracked = daemon.until_holding()["position"]["tracked"]
    exchange.fault("refuse", **NO_SALE)
    exchange.stop_bot()
    message = receiver.heard("a liquidation fails")
    assert f"bot b1 (b1), BTC/USDT, tracked {tracked}" in message["message"]
    assert message["type"] == "failure"
    eventually(lambda: SECRET not in daemon.log and "alert_sent" in daemon.log, "it is logged")
    on_record = daemon.state_dir / "alerts.json"
    eventually(lambda: '"sure":true' in on_record.read_text(), "the delivery is on record")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    eventually(lambda: not daemon.family(), "every process ends by itself", 60)
    daemon.start()
    eventually(lambda: daemon.health()[1]["status"] == "degraded", "it fails still")
    exchange.heal()
    daemon.until("STOPPED")
    over = receiver.heard("over: a liquidation fails", 150)
    assert "b1" in over["message"]
    assert over["type"] == "success"
    assert receiver.titles == ["a liquidation fails", "over: a liquidation fails"]
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_many_that_fail_at_once_are_one_message(
    daemon: Daemon, exchange: Exchange, receiver: Receiver
) -> None:
    exchange.list_bots(*rows(25, **REFUSED))
    told(daemon, receiver).start()
    message = receiver.heard("25 bots are FAILED")
    assert "and 15 more" in message["message"]
    exchange.list_bots()
    receiver.heard("over: 25 bots are FAILED")
    assert len(receiver.got) == 2
    assert daemon.stop() == 0


def test_a_mass_stop_that_is_held_back(
    daemon: Daemon, exchange: Exchange, receiver: Receiver
) -> None:
    exchange.list_bots(*rows(6))
    told(daemon, receiver).start(EXECSVC_MASS_STOP_CONFIRMATIONS="1000")
    eventually(lambda: daemon.status()["running_bots"] == 6, "they run", 60)
    exchange.list_bots()
    assert "6 bots are missing" in receiver.heard("a mass stop is held back")["message"]
    exchange.list_bots(*rows(6))
    receiver.heard("over: a mass stop is held back")
    assert daemon.stop() == 0


def test_a_bot_service_that_is_away_for_long(
    daemon: Daemon, exchange: Exchange, receiver: Receiver
) -> None:
    told(daemon, receiver).start()
    exchange.fault("status", call="bots", status=500, times=None)
    assert receiver.heard("BotService does not list")["type"] == "warning"
    exchange.heal()
    receiver.heard("over: BotService does not list")
    assert daemon.stop() == 0


def test_a_stop_with_residue_is_told_before_the_end_and_not_again_at_the_next_start(
    daemon: Daemon, exchange: Exchange, receiver: Receiver
) -> None:
    exchange.list_bots(*rows(2))
    told(daemon, receiver).start(EXECSVC_SHUTDOWN_TIMEOUT="1.5", EXECSVC_LIQUIDATION_BACKOFF="0.5")
    for name in ("b0", "b1"):
        daemon.until_holding(name)
    exchange.fault("refuse", **NO_SALE)
    assert daemon.stop() == 75
    (message,) = [m for m in receiver.got if "stopped and left" in m["title"]]
    assert message["title"].endswith(" stopped and left 2 positions open")
    for name in ("b0", "b1"):
        assert f"bot {name} ({name}), BTC/USDT, tracked 0." in message["message"]
    exchange.heal()
    daemon.start()
    for name in ("b0", "b1"):
        daemon.until_holding(name)
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)
    assert receiver.got == [message]  # that it is over is said a minute and a half later


def test_an_alert_service_that_is_away_gets_it_later(
    daemon: Daemon, exchange: Exchange, receiver: Receiver
) -> None:
    receiver.mood = "refuse"
    exchange.list_bots(bot_row(**REFUSED))
    told(daemon, receiver).start()
    eventually(lambda: receiver.attempts >= 2, "it is tried again", 60)
    assert "alert_failed" in daemon.log
    assert daemon.process.poll() is None
    for process in titled(daemon, ALERTS):
        process.kill()
    receiver.mood = "ok"
    receiver.heard("a bot is FAILED")
    assert daemon.stop() == 0


@pytest.mark.parametrize("mood", ["hang", "drip"])
def test_one_that_hangs_delays_no_sale_and_the_end_by_seconds_only(
    daemon: Daemon, exchange: Exchange, receiver: Receiver, mood: str
) -> None:
    receiver.mood = mood
    exchange.list_bots(bot_row(), bot_row("b2", **REFUSED))
    told(daemon, receiver).start()
    daemon.until_holding()
    eventually(lambda: receiver.attempts, "it hangs")
    exchange.stop_bot()
    daemon.until("STOPPED")
    assert daemon.stop(within=30) == 0
    assert_over(daemon, exchange)


@pytest.mark.says("alert_failed")
def test_one_dead_address_keeps_nothing_from_the_others(
    daemon: Daemon, exchange: Exchange, receiver: Receiver
) -> None:
    exchange.list_bots(bot_row(**REFUSED))
    urls = f"json://127.0.0.1:1/{SECRET}, nonsense://{SECRET} {receiver.url}"
    daemon.start(EXECSVC_ALERT_URLS=urls)
    receiver.heard("a bot is FAILED")
    exchange.list_bots()
    receiver.heard("over: a bot is FAILED")
    assert daemon.stop() == 0
    assert "alert URL 2 (nonsense): apprise does not know such a URL" in daemon.log


def test_the_address_is_told_nobody(daemon: Daemon, exchange: Exchange, receiver: Receiver) -> None:
    receiver.mood = "refuse"
    exchange.list_bots(bot_row(**REFUSED))
    told(daemon, receiver).start(EXECSVC_LOG_LEVEL="TRACE")
    eventually(lambda: receiver.attempts >= 2, "it is tried", 60)
    seen = [str(daemon.status()), str(daemon.health())]
    seen += [process.title for process in daemon.family()]
    receiver.mood = "ok"
    receiver.heard("a bot is FAILED")
    assert titled(daemon, ALERTS)
    assert daemon.stop() == 0
    files = [path for path in daemon.folder.rglob("*") if path.is_file()]
    assert files
    for text in (*seen, daemon.log, *(path.read_text("latin-1") for path in files)):
        assert SECRET not in text


def test_without_urls_there_is_no_such_process(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until("RUNNING")
    assert not titled(daemon, ALERTS)
    assert daemon.stop() == 0
    assert not (daemon.state_dir / "alerts.json").exists()


def test_the_command(daemon: Daemon, receiver: Receiver) -> None:
    told(daemon, receiver)
    done = daemon.command("alert")
    assert (done.returncode, done.stdout) == (0, "alert URL 1 (json): taken\n"), done.stderr
    assert daemon.command("alert", "the disk is full").returncode == 0
    assert receiver.titles == ["a test", "a message"]
    assert receiver.got[1]["message"] == "the disk is full"
    receiver.mood = "refuse"
    assert daemon.command("alert").returncode == 69
    assert daemon.command("alert", EXECSVC_ALERT_URLS="").returncode == 78
    refused = daemon.command("check", EXECSVC_ALERT_URLS=f"what {SECRET}")
    assert refused.returncode == 78
    assert "EXECSVC_ALERT_URLS" in refused.stderr
    assert SECRET not in refused.stderr
    checked = daemon.command("check", EXECSVC_ALERT_URLS=f"{receiver.url} nonsense://{SECRET}")
    assert checked.returncode == 69
    assert "URL 1 (json): known" in checked.stdout
    assert SECRET not in checked.stdout + checked.stderr
