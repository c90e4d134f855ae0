"""A short in a state directory from another machine: it may be bought back there already."""

from __future__ import annotations

import signal
from decimal import Decimal

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.requirements import needs
from support.store_files import move_to_another_machine
from support.stores import store_in

from execsvc.clock import now
from execsvc.model.position import Position


@needs("machine id")
@pytest.mark.says("short_dropped")
def test_short_of_another_machine_is_contested_and_not_bought_back_once_released(
    daemon: Daemon, exchange: Exchange
) -> None:
    row = bot_row(strategy="orderflow_exhaustion_v1")
    row["pipeline"]["strategy"]["params"] = {}
    exchange.list_bots(row)
    daemon.start()
    daemon.until("RUNNING")
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    ledger = store_in(daemon.state_dir).bot("b1")
    ledger.open()
    binding = ledger.binding()
    assert binding is not None, "it has run"
    short = Position(sold_short=Decimal("0.01"), entry_price=Decimal(50000), opened_at=now())
    ledger.keep_position(binding, short)
    ledger.close()
    move_to_another_machine(daemon.state_dir)
    daemon.start()
    eventually(
        lambda: "is contested" in str(daemon.health()[1]["reasons"]), "the short is contested"
    )
    gone = daemon.command("release", "b1")
    assert gone.returncode == 0, gone.stderr
    eventually(lambda: daemon.bot()["position"]["sold_short"] == "0", "it is dropped")
    eventually(lambda: not daemon.health()[1]["reasons"], "it is decided")
    assert daemon.stop() == 0
    assert exchange.orders() == []
