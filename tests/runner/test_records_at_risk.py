"""Without a record no trade: disks that are full or read-only, files that are damaged."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.environment import scrubbed
from support.exchange import OWN_BTC, Exchange
from support.requirements import require
from support.store_files import BALLAST, BALLAST_SIZE, journal_path, ledger_path
from support.stores import store_in

from execsvc.strategies.base import NoState, Strategy
from execsvc.strategies.registry import BUILT_IN
from execsvc.strategies.test_trading_v1.strategy import TrialParams

DUST = Decimal("0.00001")


def tracked(bot: BotProcess) -> Decimal:
    return Decimal(bot.last.position["tracked"] or 0)


@pytest.fixture
def small_disk(bots: BotProcesses) -> Iterator[Path]:
    """The state directory on a file system of its own, of one megabyte."""
    require("mount")
    bots.state_dir.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(bots.state_dir)]
    subprocess.run(mount, env=scrubbed(), capture_output=True, check=True)
    yield bots.state_dir
    subprocess.run(["umount", "-l", str(bots.state_dir)], env=scrubbed(), check=True)


def fill(folder: Path) -> Path:
    """A file that leaves no room; what such a file held before counts as room."""
    junk = folder / "junk"
    with junk.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return junk


class SellsBelow(Strategy[TrialParams, NoState]):
    """Buys once, and sells when the price is below 50 000: when the test says so."""

    id = "sells_below"
    Params = TrialParams

    def execute(self, ctx: Any) -> None:
        if ctx.position.side is None:
            ctx.buy(Decimal("0.01"), "entry")
        elif ctx.ticker().price < 50_000:
            ctx.sell(ctx.position.tracked, "exit")


def test_a_full_disk_stops_trading_and_loses_nothing(
    bots: BotProcesses, exchange: Exchange, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BUILT_IN, SellsBelow.id, SellsBelow)
    bot = bots.start(bot_row(strategy=SellsBelow.id))
    eventually(lambda: tracked(bot) > 0, "the buy")
    junk = fill(small_disk)
    exchange.market(price="49000")
    code = bot.wait(90)
    assert code == 74, "a full disk may pass"
    assert bot.last.end is not None
    assert bot.last.end.kind == "UNAVAILABLE"
    fill(small_disk)  # an end leaves the room of its write-ahead logs
    assert bots.start(bot_row("b2")).wait() == 74
    assert len(exchange.orders()) == 1, "nothing is sent that cannot be recorded"
    junk.unlink()
    assert bots.start("b1").wait() == 0
    assert 0 <= exchange.bots_base() < DUST
    assert exchange.lowest() >= OWN_BTC


def test_a_disk_that_is_read_only_for_a_while_is_waited_for(
    bots: BotProcesses, exchange: Exchange, small_disk: Path
) -> None:
    def remount(how: str) -> None:
        command = ["mount", "-o", f"remount,{how}", str(small_disk)]
        subprocess.run(command, env=scrubbed(), check=True)

    remount("ro")
    assert bots.start(bot_row()).wait() == 74
    assert exchange.orders() == []
    remount("rw")
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the buy")
    bot.signal(signal.SIGUSR2)
    assert bot.wait() == 0
    remount("ro")
    again = bots.start("b1")
    eventually(lambda: again.last.liquidation_failed, "nothing can be recorded")
    assert exchange.orders(side="sell") == []
    remount("rw")
    assert again.wait() == 0
    assert 0 <= exchange.bots_base() < DUST


@pytest.mark.parametrize("which", ["ledger", "journal"])
def test_a_damaged_file_is_left_alone_and_nothing_is_traded(
    bots: BotProcesses, exchange: Exchange, which: str
) -> None:
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the buy")
    bot.signal(signal.SIGUSR2)
    assert bot.wait() == 0
    path = ledger_path(bots.state_dir, "b1")
    if which == "journal":
        path = journal_path(bots.state_dir, "k1")
    sound = path.read_bytes()
    damages = (bytes(len(sound)), b"", sound[: len(sound) // 2])
    for damage in damages:
        path.write_bytes(damage)
        for job in (bot_row(), "b1"):
            again = bots.start(job)
            assert again.wait() == 70
            assert again.last.end is not None
            assert again.last.end.kind == "FAILED"
            assert path.name in again.last.end.detail
        assert path.read_bytes() == damage
    assert len(exchange.orders()) == 1
    path.write_bytes(sound)
    assert bots.start("b1").wait() == 0
    assert 0 <= exchange.bots_base() < DUST


@pytest.mark.parametrize("reports", ["false", "true"])
def test_a_stop_on_a_full_disk_sells_with_the_room_that_was_kept(
    bots: BotProcesses, exchange: Exchange, small_disk: Path, reports: str
) -> None:
    remount = ["mount", "-o", "remount,size=40m", str(small_disk)]
    subprocess.run(remount, env=scrubbed(), check=True)
    store_in(small_disk).keep_room()
    assert (small_disk / BALLAST).stat().st_size == BALLAST_SIZE
    bot = bots.start(bot_row(), EXECSVC_REPORT_LEDGER=reports)
    # The tick of the buy records its strategy's state at its end: not a subject of this test.
    eventually(lambda: tracked(bot) > 0 and bot.last.ticks > 1, "the buy, and the tick after it")
    fill(small_disk)
    bot.signal(signal.SIGTERM)
    assert bot.wait(90) == 0
    assert 0 <= exchange.bots_base() < DUST
    assert exchange.lowest() >= OWN_BTC
    assert not (small_disk / BALLAST).exists()
