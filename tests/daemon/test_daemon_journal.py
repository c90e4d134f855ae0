"""A service that logs to journald: what can be asked for, and a journald that hangs meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.fake_journal import Entry, FakeJournal

TOKEN = "hush-adapter-7411"
BOT = "b/ü EVENT=forged 机器人"
FORGED = f"Bearer {TOKEN}\n\nEVENT=forged\nPRIORITY=0\nBOT_ID=x\n"


@pytest.fixture
def socket(tmp_path: Path, daemon: Daemon) -> Iterator[FakeJournal]:
    """The journal that the daemon logs to."""
    fake = FakeJournal(tmp_path / "j")
    (tmp_path / "sitecustomize.py").write_text(
        "from logging_journald import JournaldTransport\n"
        f"JournaldTransport.SOCKET_PATH = {str(fake.path)!r}\n"
    )
    daemon.environ |= {"PYTHONPATH": str(tmp_path), "EXECSVC_LOG_FORMAT": "journald"}
    yield fake
    fake.close()


def of_bot(entries: list[Entry]) -> list[str]:
    """The events of the bot, in order."""
    return [entry["EVENT"] for entry in entries if entry.get("BOT_ID") == BOT]


def test_the_journal_can_be_asked_for_a_bot_and_for_an_event(
    daemon: Daemon, exchange: Exchange, socket: FakeJournal
) -> None:
    exchange.list_bots(bot_row(BOT))
    exchange.fault("status", call="ticker", status=500, detail=FORGED, times=8)
    with socket.followed() as entries:
        daemon.start(EXECSVC_EXCHANGE_ADAPTER_TOKEN=TOKEN)
        daemon.until_holding(BOT)
        exchange.list_bots()
        daemon.until("STOPPED", BOT)
        assert daemon.stop() == 0

    told = of_bot(entries)
    ways = ["process_started", "bot_started", "tick_skipped", "order_filled", "bot_unlisted"]
    ways += ["bot_stopping", "order_filled", "bot_flat", "bot_stopped"]
    rest = iter(told)
    assert [event for event in ways if event not in rest] == [], told
    filled = next(entry for entry in entries if entry.get("EVENT") == "order_filled")
    assert (filled["SYMBOL"], filled["KEY_ID"], filled["SIDE"]) == ("BTC/USDT", "k1", "buy")
    assert {entry["BOT_NAME"] for entry in entries if entry.get("BOT_ID") == BOT} == {f"bot {BOT}"}
    assert f' bot_name="bot {BOT}" bought 0.02' in filled["MESSAGE"]
    assert filled["ORDER_ID"] == exchange.executed(side="buy")[0]["client_order_id"]
    assert filled["CODE_FILE"].endswith("record.py")
    assert {entry["EVENT"] for entry in entries} >= {"service_started", "service_stopped"}
    assert {entry.get("BOT_ID", BOT) for entry in entries} == {BOT}
    assert "forged" not in {entry["EVENT"] for entry in entries}
    assert not any(TOKEN in value for entry in entries for value in entry.values())
    assert daemon.log == ""


def test_a_journald_that_hangs_delays_no_sell(
    daemon: Daemon, exchange: Exchange, socket: FakeJournal
) -> None:
    exchange.list_bots(bot_row(BOT))
    with socket.followed():
        daemon.start()
        daemon.until_holding(BOT)
    socket.fill()

    assert daemon.stop() == 0

    assert exchange.lowest() >= OWN_BTC
    assert len(exchange.executed(side="sell")) == 1
    for event in ("bot_stopping", "order_filled", "bot_flat", "service_stopped"):
        eventually(lambda event=event: f"event={event} " in daemon.log, event)
    assert all(line.startswith("<") for line in daemon.log.splitlines())
