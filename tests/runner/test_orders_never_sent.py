"""Orders that are recorded, or about to be, and must not leave any more."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest
from support.bot_process import BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.order_services import order_services
from support.store_files import intents
from support.stores import store_in

from execsvc.errors import Unavailable
from execsvc.execution.venues.live_turn import OLDEST_TO_SEND
from execsvc.failpoints import Failpoint
from execsvc.model.order import OrderRequest, OrderState, Purpose
from execsvc.sandbox.server import Sandbox

PATIENT = {
    "EXECSVC_REQUEST_TIMEOUT": "20",
    "EXECSVC_ORDER_TIMEOUT": "30",
    "EXECSVC_SETTLEMENT_WINDOW": "20",
}


class StoodStill:
    """A process that does not run for a while between the record of its first order and the send."""

    def __init__(self) -> None:
        self._before = True

    def __call__(self, failpoint: Failpoint) -> None:
        if failpoint is Failpoint.BEFORE_SEND and self._before:
            self._before = False
            time.sleep(OLDEST_TO_SEND + 0.2)


def test_order_process_stood_still_before_the_send_is_recorded_as_never_sent(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(bot_row(), watcher=StoodStill(), **PATIENT)
    eventually(lambda: bot.last.position["side"] == "BUY", "the next one is sent", 90)
    journal = store_in(bots.state_dir).account("k1")
    (first, _), *_ = intents(bots.state_dir, "k1")
    row = journal.row(first)
    journal.close()
    assert row.state is OrderState.NOT_EXECUTED
    assert "never sent" in row.detail
    assert row.intent.client_order_id not in [o["client_order_id"] for o in exchange.orders()]
    assert len(exchange.executed()) == 1


def test_order_connection_cannot_be_made_is_not_even_recorded(
    sandbox: Sandbox, exchange: Exchange, tmp_path: Path
) -> None:
    exchange.market(price="50000")
    with order_services(sandbox.url, tmp_path) as made:
        order_service = made.order_service("b1", "BTC/USDT")
        request = OrderRequest(Purpose.ENTRY, Decimal("0.01"), "test")
        with order_service.venue.turn(request) as turn:
            sandbox.stop()
            with pytest.raises(Unavailable, match="POST /order: cannot connect"):
                turn.submit(request.quantity)
        assert intents(made.state_dir, "k1") == []
    sandbox.start()
