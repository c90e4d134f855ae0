"""BotService is slow to say which orders it knows: no other bot of the account waits for that."""

from __future__ import annotations

from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import all_hold, assert_over


def test_turn_bot_service_hangs_for_one_bot_another_sells(
    daemon: Daemon, exchange: Exchange
) -> None:
    daemon.environ["EXECSVC_REPORT_LEDGER"] = "true"
    exchange.list_bots(*(bot_row(name, allocation="500") for name in ("asks", "leaves")))
    daemon.start()
    all_hold(daemon, 2)
    daemon.kill_everything()
    exchange.fault("hang", call="sessions", match={"bot_id": "asks"}, times=None)
    daemon.start(EXECSVC_REQUEST_TIMEOUT="300", EXECSVC_HANG_TIMEOUT="300")
    eventually(lambda: exchange.requests_of("sessions"), "it is asked")
    exchange.list_bots(bot_row("asks", allocation="500"))
    daemon.until("STOPPED", "leaves")
    assert [order["side"] for order in exchange.executed()] == ["buy", "buy", "sell"]
    exchange.heal()
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)
