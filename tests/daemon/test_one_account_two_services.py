"""Two services of one machine never trade one account."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.store_files import account_holder, shared_folder
from support.verdicts import listed_again

from execsvc.sandbox.server import Sandbox


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    """The folder that both services share, as tmpfiles.d makes that of the machine."""
    folder = shared_folder(tmp_path / "run")
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def other_bots() -> Iterator[Exchange]:
    """The BotService of another service."""
    running = Sandbox()
    running.start()
    yield Exchange(running.url)
    running.stop()


@pytest.fixture
def other(sandbox: Sandbox, other_bots: Exchange, locks: Path, tmp_path: Path) -> Iterator[Daemon]:
    """Another service on the same exchange, with a state directory of its own."""
    folder = tmp_path / "other"
    folder.mkdir()
    made = Daemon(sandbox.url, folder)
    made.environ["EXECSVC_BOT_SERVICE_URL"] = other_bots.url
    made.environ["EXECSVC_RUNTIME_DIR"] = str(tmp_path / "run-of-other")
    yield made
    made.close()


def is_locked_by(daemon: Daemon, locks: Path, key: str) -> bool:
    """True when that service has the account; once it gives it up the other one may take it at once."""
    found = account_holder(locks, key)
    return found is not None and found.state_dir in (None, str(daemon.state_dir.resolve()))


def test_second_service_on_an_account_fails_its_bots_until_the_first_gives_it_up(
    daemon: Daemon, other: Daemon, exchange: Exchange, other_bots: Exchange, locks: Path
) -> None:
    exchange.fund("k2")
    exchange.list_bots(bot_row(), bot_row("b2", key="k2"))
    other_bots.list_bots(bot_row("c1"), bot_row("paper", mode="PAPER"), bot_row("c3", key="k3"))
    daemon.start()
    daemon.until_holding()
    other.start()
    place = daemon.state_dir.resolve()
    why = f"account k1 is traded by the service with the state directory {place} (pid {daemon.pid})"
    failed = other.until("FAILED", "c1")
    assert failed["last_error"].startswith(why)
    assert [text for text in other.health()[1]["reasons"] if why in text]
    other.until_holding("paper")
    other.until_holding("c3")
    assert f"{why}: its bots are FAILED here" in other.command("doctor", "--json").stdout
    assert "its bots are FAILED" not in daemon.command("doctor", "--json").stdout
    assert len(exchange.orders("k1")) == 1

    runner = daemon.bot()["pid"]
    os.kill(runner, signal.SIGSTOP)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    assert other.command("release", "c1").returncode == 0
    eventually(lambda: other.log.count("account k1 is traded by") >= 2, "it is refused once more")
    other.until("FAILED", "c1")
    assert len(exchange.orders("k1")) == 1, "a process of the first one lives, and holds its lock"
    daemon.start()
    os.kill(runner, signal.SIGCONT)
    daemon.until("RUNNING")

    exchange.list_bots(bot_row("b2", key="k2"))
    daemon.until("STOPPED")
    eventually(lambda: not is_locked_by(daemon, locks, "k1"), "the account is given up")
    assert account_holder(locks, "k2") is not None
    assert other.command("release", "c1").returncode == 0
    other.until_holding("c1")
    assert other.stop() == 0
    assert daemon.stop() == 0
    assert exchange.lowest("k1") >= OWN_BTC
    assert sorted(path.suffix for path in locks.iterdir()) == [".lock"] * 3


@pytest.mark.says("accounts_not_locked")
def test_service_without_the_shared_folder_says_so_once_and_trades(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row(), bot_row("b2", key="k2"))
    daemon.start()
    daemon.until_holding()
    daemon.until("RUNNING", "b2")
    assert daemon.log.count("would not be noticed") == 1
    assert not shared_folder(daemon.folder / "run").exists()
    assert daemon.stop() == 0


def test_position_of_the_second_service_waits_until_the_first_gives_the_account_up(
    daemon: Daemon, other: Daemon, exchange: Exchange, other_bots: Exchange
) -> None:
    other_bots.list_bots(bot_row("c1"))
    other.start()
    other.until_holding("c1")
    other.signal(signal.SIGUSR2)
    assert other.wait() == 0
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    other.start()
    waiting = other.until("LIQUIDATING", "c1")
    assert waiting["last_error"].startswith("account k1 is traded by the service with the state ")
    reasons = other.health()[1]["reasons"]
    assert [text for text in reasons if "bot c1 (bot c1) is FAILED" in text]
    assert exchange.executed("k1", "sell") == []
    exchange.list_bots()
    daemon.until("STOPPED")
    failed = other.until("FAILED", "c1")
    assert failed["position"]["side"] is None
    assert len(exchange.executed("k1", "sell")) == 2
    assert daemon.stop() == 0
    assert other.stop() == 0
    assert exchange.lowest("k1") >= OWN_BTC


def test_second_service_on_the_same_bots_does_not_stop_those_that_the_first_runs(
    daemon: Daemon, other: Daemon, exchange: Exchange, sandbox: Sandbox, locks: Path
) -> None:
    """To the second one each is FAILED, and a FAILED bot is stopped in BotService otherwise."""
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start()
    daemon.until_holding()
    eventually(lambda: exchange.bot_status() == "RUNNING", "the row is RUNNING")
    exchange.list_bots(
        exchange.call("GET", "/bots/b1"), {**bot_row("b2", key="k2"), "status": "BOOTING"}
    )
    other.start(EXECSVC_BOT_SERVICE_URL=sandbox.url)
    other.until("FAILED", "b1")
    listed_again(exchange, 20)
    assert exchange.requests_of("stop_bot") == 0
    assert exchange.bot_status() == "RUNNING"
    assert daemon.bot()["state"] == "RUNNING"


def test_second_service_on_the_same_bots_does_not_say_that_one_has_stopped_which_still_holds(
    daemon: Daemon, other: Daemon, exchange: Exchange, sandbox: Sandbox, locks: Path
) -> None:
    """To the second one each is flat, as it has never run it."""
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start()
    daemon.until_holding()
    eventually(lambda: exchange.bot_status() == "RUNNING", "the row is RUNNING")
    other.start(EXECSVC_BOT_SERVICE_URL=sandbox.url)
    other.until("FAILED", "b1")
    exchange.fault("status", call="order", times=None, match={"side": "sell"}, status=400)
    exchange.change_bot("b1", status="STOPPING")
    daemon.until("LIQUIDATING")
    listed_again(exchange, 20)
    assert exchange.bot_status() == "STOPPING"
    exchange.heal()
    eventually(lambda: exchange.bot_status() == "STOPPED", "it is flat", 60.0)
    assert len(exchange.executed(side="sell")) == 1
