"""The wall clock of the whole service is set, ahead and back, while it runs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from support.bot_process import bot_row
from support.clocks import HOUR
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.requirements import needs
from support.service_clock import ServiceClock
from support.verdicts import assert_flat, succeeds

PATIENT = {
    "EXECSVC_REQUEST_TIMEOUT": "20",
    "EXECSVC_ORDER_TIMEOUT": "30",
    "EXECSVC_SETTLEMENT_WINDOW": "20",
    "EXECSVC_HANG_TIMEOUT": "60",
}
"""A busy machine must not make a process look hung, or an order lost."""


def tick_on(daemon: Daemon, *bot_ids: str) -> None:
    for bot_id in bot_ids:
        seen = daemon.bot(bot_id)["ticks"]
        eventually(lambda b=bot_id, s=seen: daemon.bot(b)["ticks"] > s + 3, f"{bot_id} ticks")


@needs("C compiler")
def test_service_clock_is_set_no_duration_changes(
    daemon: Daemon, exchange: Exchange, tmp_path: Path
) -> None:
    def sold() -> int:
        return len(exchange.executed("short", "sell"))

    for key in ("long", "short"):
        exchange.fund(key)
    exchange.list_bots(
        bot_row("long", key="long"),
        bot_row("short", key="short", params={"hold_duration": 2, "loop_count": 0}),
    )
    clock = ServiceClock(tmp_path)
    daemon.start(**clock.environ, **PATIENT)
    daemon.until_holding("long")
    eventually(sold, "a hold of two seconds ends")
    for step in (HOUR, -HOUR):
        clock.set_by(step)
        before = sold()
        eventually(lambda b=before: sold() > b + 1, "it lasts two seconds still")
        tick_on(daemon, "long", "short")
    clock.set_by(2 * HOUR)
    pid = daemon.bot("long")["pid"]
    os.kill(pid, signal.SIGKILL)
    succeeds(daemon, pid, "long")
    daemon.until_holding("long")
    tick_on(daemon, "long")
    assert exchange.orders("long", "sell") == [], "no hour of holding has passed"
    assert daemon.bot("short")["restarts"] == 0
    eventually(lambda: daemon.health()[1]["status"] == "ok", "all is well")
    assert daemon.stop() == 0
    for key in ("long", "short"):
        assert_flat(exchange, key)
