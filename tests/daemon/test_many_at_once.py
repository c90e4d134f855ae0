"""A hundred bots on one account."""

from __future__ import annotations

import pytest
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import assert_over, rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MANY = 100


def test_a_hundred_bots_of_one_account_stop_flat(daemon: Daemon, exchange: Exchange) -> None:
    exchange.fund(usdt="1000000")
    exchange.list_bots(*rows(MANY, interval=5, params={"allocation_ratio": "0.001"}))
    # Their order must not be late only because a hundred of them share two cores.
    daemon.start(
        EXECSVC_SHUTDOWN_TIMEOUT="120",
        EXECSVC_STOP_TIMEOUT="90",
        EXECSVC_ORDER_TIMEOUT="10",
        EXECSVC_REQUEST_TIMEOUT="5",
    )
    eventually(
        lambda: (
            all(bot["ticks"] for bot in daemon.status()["bots"])
            and len(daemon.status()["bots"]) == MANY
        ),
        "all of them tick",
        60,
    )
    eventually(lambda: len(exchange.executed(side="buy")) == MANY, "all of them hold", 120)
    for call in ("balance", "ticker", "order"):
        exchange.fault("slow", call=call, seconds=0.05, times=None)
    assert daemon.stop(200) == 0
    assert len(exchange.executed(side="sell")) == MANY
    assert_over(daemon, exchange, crumbs=MANY)
