"""A state directory from an hour ago: nothing of the user's is sold for a position that was closed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.requirements import needs
from support.store_files import ledger_path, move_to_another_machine, this_machine, used_on

BOUGHT = Decimal("0.01998")


def sell_after_a_snapshot(
    daemon: Daemon, exchange: Exchange, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Buy and hold; keep a copy; sell; bring the copy back. No service runs then, nor ``meanwhile``."""
    seen = daemon.until_holding()["ticks"]
    # Until its strategy has kept that it holds: else it buys anew once that is booked as gone.
    eventually(lambda: daemon.ticks() > seen + 1, "it ticks")
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    copy = daemon.state_dir.with_name("copy")
    shutil.copytree(daemon.state_dir, copy)
    daemon.start()
    daemon.until_holding()
    exchange.list_bots()
    daemon.until("STOPPED")
    assert len(exchange.executed(side="sell")) == 1
    if "EXECSVC_REPORT_LEDGER" not in daemon.environ:
        eventually(lambda: len(exchange.told("b1")) >= 8, "BotService was told of both orders")
    assert daemon.stop() == 0
    exchange.list_bots(bot_row())
    meanwhile()
    shutil.rmtree(daemon.state_dir)
    copy.rename(daemon.state_dir)


def wrong(daemon: Daemon) -> list[str]:
    """The reasons for which the service is degraded, but for a listing that is late on a busy machine."""
    reasons: list[str] = daemon.health()[1]["reasons"]
    return [reason for reason in reasons if not reason.startswith("no good listing")]


def contested(daemon: Daemon) -> list[str]:
    """The reasons of ``/health`` that name a contested position."""
    return [reason for reason in daemon.health()[1]["reasons"] if "is contested" in reason]


def said(daemon: Daemon, text: str) -> None:
    eventually(lambda: text in daemon.log, f"the log says {text}")


@pytest.mark.usefixtures("listing_only")
@pytest.mark.says("coins_gone")
def test_position_that_was_closed_since_is_booked_as_gone(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    sell_after_a_snapshot(daemon, exchange)
    found = daemon.command("doctor", "--json")
    assert "the position was closed elsewhere" in found.stdout
    assert "the next start books the position as gone" in found.stdout
    before = len(exchange.orders())
    daemon.start()
    said(daemon, "0.01998 BTC booked as gone: the account holds 0.01998 BTC less than after")
    eventually(lambda: daemon.bot()["position"]["side"] is None, "nothing is held")
    eventually(lambda: wrong(daemon) == [], "nothing is contested")
    assert daemon.stop() == 0
    assert len(exchange.orders()) == before
    assert exchange.lowest() >= OWN_BTC
    log = daemon.log
    daemon.start()
    daemon.until("RUNNING")
    eventually(lambda: daemon.ticks() > 3, "it ticks")
    assert daemon.stop() == 0
    assert "booked as gone" not in daemon.log[len(log) :]


@pytest.mark.usefixtures("listing_only")
@pytest.mark.parametrize(("asset", "amount"), [("BTC", "0.5"), ("USDT", "500")])
def test_position_that_was_closed_is_noticed_beside_orders_of_the_user(
    daemon: Daemon, exchange: Exchange, asset: str, amount: str
) -> None:
    """Coins that wait in an order of the user, then and now, are neither missing nor new."""
    exchange.by_hand(kind="lock", asset=asset, amount=amount)
    exchange.list_bots(bot_row())
    daemon.start()
    sell_after_a_snapshot(daemon, exchange)
    before = len(exchange.orders())
    daemon.start()
    said(daemon, "booked as gone")
    eventually(lambda: daemon.bot()["position"]["side"] is None, "nothing is held")
    eventually(lambda: wrong(daemon) == [], "nothing is contested")
    assert daemon.stop() == 0
    assert len(exchange.orders()) == before, "coins of the user were sold"
    assert exchange.bots_base() >= 0


def test_ledger_that_is_older_than_the_journal_of_its_account_is_contested(
    daemon: Daemon, exchange: Exchange
) -> None:
    """The bots' ledgers alone came back: the account holds what its journal says, and no bot's coin."""
    exchange.list_bots(bot_row())
    daemon.start()
    journals = daemon.state_dir / "accounts"
    newer = daemon.state_dir.with_name("newer")
    sell_after_a_snapshot(daemon, exchange, lambda: shutil.copytree(journals, newer))
    shutil.rmtree(journals)
    newer.rename(journals)
    before = len(exchange.orders())
    daemon.start()
    reason = eventually(lambda: wrong(daemon), "it is degraded")[0]
    assert "journal knows an order" in reason
    exchange.list_bots()  # to be closed, and that is not done
    eventually(
        lambda: "is contested" in (daemon.bot()["last_error"] or ""), "its liquidation says why"
    )
    gone = daemon.command("release", "b1")
    assert gone.returncode == 0, gone.stderr
    daemon.until("STOPPED")
    assert daemon.stop() == 0
    assert len(exchange.orders()) == before, "coins of the user were sold"
    exchange.list_bots(bot_row())
    daemon.start()
    eventually(lambda: daemon.ticks() > 3, "it ticks")
    assert wrong(daemon) == [], "decided once is decided"
    assert daemon.stop() == 0


def test_contested_bot_that_is_flat_and_unlisted_is_released(
    daemon: Daemon, exchange: Exchange
) -> None:
    """No process of it would carry the release out, and its account would be blocked for ever."""
    copy = daemon.state_dir.with_name("copy")
    for sold in (1, 2):
        exchange.list_bots(bot_row(params={"hold_duration": 2}))
        daemon.start()
        eventually(lambda sold=sold: len(exchange.executed(side="sell")) == sold, "it has sold")
        eventually(lambda sold=sold: len(exchange.told("b1")) >= 8 * sold, "BotService was told")
        exchange.list_bots()
        daemon.until("STOPPED")
        assert daemon.stop() == 0
        if sold == 1:
            shutil.copytree(daemon.state_dir, copy)
    shutil.rmtree(daemon.state_dir)
    copy.rename(daemon.state_dir)
    exchange.list_bots(bot_row())
    daemon.start()
    assert eventually(lambda: wrong(daemon), "it is degraded")
    exchange.list_bots(bot_row("b2"))
    daemon.until("STOPPED")
    eventually(
        lambda: "bot b1 of this account" in (daemon.bot("b2")["last_error"] or ""),
        "the other bot says what it waits for",
    )
    released = daemon.command("release", "b1")
    assert released.returncode == 0, released.stderr
    assert "its account trades on" in released.stdout
    daemon.until_holding("b2")
    eventually(lambda: not wrong(daemon), "nothing is contested")
    assert daemon.stop() == 0


@pytest.mark.usefixtures("listing_only")
@pytest.mark.says("position_contested")
def test_position_that_is_missing_without_its_worth_is_contested(
    daemon: Daemon, exchange: Exchange
) -> None:
    """Nothing of the account trades until an operator has spoken: for one bot, and for the other."""
    exchange.list_bots(bot_row())
    daemon.start()
    sell_after_a_snapshot(daemon, exchange)
    exchange.by_hand(kind="withdraw", asset="USDT", amount="999")
    before = len(exchange.orders())
    neighbour = bot_row("b2", params={"loop_count": 0})
    exchange.list_bots(bot_row(), neighbour)
    daemon.start()
    reason = eventually(lambda: wrong(daemon), "it is degraded")[0]
    assert reason.startswith(
        "bot b1 (bot b1): its position in BTC/USDT is contested: the account holds "
    )
    assert "execsvc release b1 --keep" in reason
    said(daemon, "CRITICAL")
    eventually(
        lambda: "bot b1 of this account: its position" in (daemon.bot("b2")["last_error"] or ""),
        "the other bot says what it waits for",
    )
    assert "execsvc release b1 [--keep]" in daemon.command("doctor", "--json").stdout
    exchange.list_bots(neighbour)  # to be closed, and not even that is done
    daemon.until("LIQUIDATING")
    eventually(
        lambda: "is contested" in (daemon.bot()["last_error"] or ""), "its liquidation says why"
    )
    stopped = daemon.command("stop", "b1", "--timeout", "60")
    assert stopped.returncode == 75, stopped.stderr
    assert "is contested" in stopped.stderr + stopped.stdout
    assert len(exchange.orders()) == before
    kept = daemon.command("release", "b1", "--keep")
    assert kept.returncode == 0, kept.stderr
    daemon.until("STOPPED")
    assert Decimal(exchange.executed(side="sell")[-1]["filled"]) == BOUGHT
    daemon.until_holding("b2")
    assert wrong(daemon) == []
    again = daemon.command("release", "b1", "--keep")
    assert again.returncode == 78
    assert "no coins of bot b1 are contested" in again.stderr
    assert daemon.stop() == 0


@needs("machine id")
@pytest.mark.says("state_moved")
def test_state_directory_of_another_machine_is_contested(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row(), bot_row("b2"))
    daemon.start()
    tracked = daemon.until_holding()["position"]["tracked"]
    daemon.until_holding("b2")
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    assert used_on(daemon.state_dir) == this_machine()
    move_to_another_machine(daemon.state_dir)
    assert "was last used on another machine" in daemon.command("doctor", "--json").stdout
    before = len(exchange.orders())
    daemon.start()
    eventually(lambda: len(wrong(daemon)) == 2, "both are contested")
    kept = daemon.command("release", "b1", "--keep")
    assert kept.returncode == 0, kept.stderr
    gone = daemon.command("release", "b2")
    assert gone.returncode == 0, gone.stderr
    assert "booked as gone: released by an operator" in gone.stdout
    eventually(lambda: not wrong(daemon), "all is decided")
    assert len(exchange.orders()) == before
    assert daemon.stop() == 0
    assert [order["filled"] for order in exchange.executed(side="sell")] == [tracked]
    daemon.start()
    daemon.until("RUNNING")
    assert wrong(daemon) == []
    assert daemon.log.count("event=state_moved") == 1
    assert daemon.stop() == 0


@needs("machine id")
def test_busy_ledger_does_not_hide_another_machine(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row(), bot_row("b2"))
    daemon.start()
    daemon.until_holding()
    daemon.until_holding("b2")
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    move_to_another_machine(daemon.state_dir)
    before = len(exchange.orders())
    with closing(sqlite3.connect(ledger_path(daemon.state_dir, "b2"))) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("CREATE TABLE held_for_a_backup (a)")
        daemon.start()
        said(daemon, "the machine of the state directory cannot be checked and recorded")
    eventually(lambda: len(contested(daemon)) == 2, "both are contested")
    exchange.list_bots()
    for bot_id in ("b1", "b2"):
        daemon.until("LIQUIDATING", bot_id)
        kept = daemon.command("release", bot_id, "--keep")
        assert kept.returncode == 0, kept.stderr
    daemon.until("STOPPED")
    daemon.until("STOPPED", "b2")
    assert daemon.stop() == 0
    assert len(exchange.orders()) == before + 2


@pytest.mark.says("history_unknown")
def test_order_that_bot_service_alone_knows_proves_a_restored_ledger(
    daemon: Daemon, exchange: Exchange, tmp_path: Path
) -> None:
    """The account cannot tell: it holds as much as then, for the bot has bought again since."""
    exchange.list_bots(bot_row())
    daemon.start()
    sell_after_a_snapshot(daemon, exchange)
    exchange.by_hand(kind="buy", symbol="BTC/USDT", amount=str(BOUGHT))
    assert "BotService knows an order of 2" in daemon.command("doctor", "--json").stdout
    before = len(exchange.orders())
    daemon.start()
    reason = eventually(lambda: wrong(daemon), "it is degraded")[0]
    assert "BotService knows an order (SELL 0.01998 BTC/USDT of 2" in reason
    assert len(exchange.orders()) == before
    daemon.kill_everything()
    exchange.fault("hang", call="sessions")
    daemon.start()
    daemon.until("RUNNING")
    assert wrong(daemon), "what was found stays contested, before the first comparison"
    said(daemon, "BotService did not answer which orders it knows")
    assert wrong(daemon), "what was found stays contested"
    kept = daemon.command("release", "b1", "--keep")
    assert kept.returncode == 0, kept.stderr
    eventually(lambda: not wrong(daemon), "it is decided")
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    daemon.start()
    daemon.until_holding()
    eventually(lambda: daemon.ticks() > 3, "it ticks")
    assert wrong(daemon) == [], "decided once is decided"
    assert daemon.stop() == 0
    assert Decimal(exchange.executed(side="sell")[-1]["filled"]) == BOUGHT


def test_bot_service_that_does_not_answer_is_asked_again(
    daemon: Daemon, exchange: Exchange
) -> None:
    """Many bots that ask at the same start exhaust it for some seconds."""
    exchange.list_bots(bot_row())
    daemon.start()
    sell_after_a_snapshot(daemon, exchange)
    exchange.by_hand(kind="buy", symbol="BTC/USDT", amount=str(BOUGHT))
    before = len(exchange.orders())
    exchange.fault("status", call="sessions", status=400)
    daemon.start()
    said(daemon, "BotService did not answer which orders it knows")
    assert "BotService knows an order" in eventually(lambda: wrong(daemon), "it is degraded")[0]
    gone = daemon.command("release", "b1")
    assert gone.returncode == 0, gone.stderr
    assert daemon.stop() == 0
    assert len(exchange.orders()) == before


def test_one_answer_that_lacks_an_asset_contests_nothing(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.fund(btc=Decimal(0))
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    daemon.kill_everything()
    quote_alone = {"asset": "USDT", "free": 9000.0, "locked": 0.0, "usdtValue": 9000.0}
    exchange.fault("patch", call="balance", body={"assets": [quote_alone]})
    daemon.start()
    eventually(lambda: daemon.ticks() > 3, "it ticks")
    assert wrong(daemon) == []
    assert daemon.stop() == 0
    assert len(exchange.executed(side="sell")) == 1


def test_restart_without_anything_else_contests_nothing(daemon: Daemon, exchange: Exchange) -> None:
    """Nor does a balance that lags behind the last fill, as it mimics a position that was closed."""
    daemon.environ["EXECSVC_SETTLEMENT_WINDOW"] = "5"
    exchange.list_bots(bot_row(), bot_row("b2"))
    daemon.start()
    daemon.until_holding()
    daemon.until_holding("b2")
    daemon.kill_everything()
    exchange.fault("lag", call="order", seconds=1.5, times=None)
    exchange.list_bots(bot_row(), bot_row("b2"), bot_row("b3"))
    daemon.start()
    daemon.until_holding("b3")
    daemon.kill_everything()
    daemon.start()
    for bot_id in ("b1", "b2", "b3"):
        daemon.until_holding(bot_id)
        eventually(lambda bot_id=bot_id: daemon.ticks(bot_id) > 3, "it ticks")
    assert wrong(daemon) == []
    assert "booked as gone" not in daemon.log
    assert daemon.stop() == 0
    assert exchange.lowest() >= OWN_BTC


def test_bot_that_crashes_is_not_compared_again_before_the_next_start(
    daemon: Daemon, exchange: Exchange
) -> None:
    """Coins that its user sells by hand meanwhile are a matter of EXECSVC_GONE_AFTER, as without a crash."""
    exchange.list_bots(bot_row())
    daemon.start()
    before = daemon.until_holding()
    exchange.by_hand(kind="sell", symbol="BTC/USDT", amount=str(BOUGHT))
    os.kill(before["pid"], signal.SIGKILL)
    after = eventually(lambda: _again(daemon, before["pid"]), "another process holds it")
    assert after["position"]["tracked"] == str(BOUGHT)
    assert "booked as gone" not in daemon.log
    daemon.kill_everything()
    daemon.start()
    said(daemon, "0.01998 BTC booked as gone")
    eventually(lambda: daemon.bot()["position"]["side"] is None, "nothing is held")
    assert daemon.stop() == 0
    assert exchange.executed(side="sell") == []


def _again(daemon: Daemon, pid: int) -> dict[str, Any]:
    bot = daemon.bot()
    return bot if bot["pid"] not in (None, pid) and bot["ticks"] > 3 else {}
