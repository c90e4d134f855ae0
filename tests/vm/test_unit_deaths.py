"""Processes of the unit die or hang: what systemd does, and what becomes of the positions."""

from __future__ import annotations

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.installed import InsideExchange, Service

SPIN = """
import signal
def spin(signum, frame):
    while True:
        pass
signal.signal(signal.SIGRTMIN, spin)
"""
WATCHED = """
WatchdogSec=2
TimeoutAbortSec=10
RestartSec=100ms
Environment=PYTHONPATH=/opt/execsvc/spinning
"""


def restarted_once(service: Service, exchange: InsideExchange, orders: int) -> None:
    """The bot holds again, under one process, after so many orders; nothing was sent twice."""
    service.until_holding()
    assert service.show("NRestarts") == "1"
    assert len([title for title in service.shown("cmdline") if "bot b1" in title]) == 1
    sent = [order["client_order_id"] for order in exchange.orders()]
    assert len(sent) == len(set(sent)) == orders
    tracked = service.bot()["position"]["tracked"]
    assert str(exchange.bots_base().normalize()) == tracked


@pytest.mark.parametrize(("ends", "orders"), [("liquidate", 3), ("hold", 1)])
def test_kill_of_the_main_process(
    service: Service, exchange: InsideExchange, ends: str, orders: int
) -> None:
    service.configure("RestartSec=100ms", EXECSVC_ON_SHUTDOWN=ends)
    exchange.list_bots(bot_row())
    service.start()
    service.until_holding()
    exchange.fault("slow", call="order", match={"side": "sell"}, seconds=1.5)
    service.kill("KILL", service.main_pid)
    # Sold and bought again after the restart, or neither.
    eventually(lambda: service.show("NRestarts") == "1", "it is restarted", 60)
    restarted_once(service, exchange, orders)
    # No process was left when it was started again.
    events = service.events()
    ended = "bot_flat" if ends == "liquidate" else "position_kept"
    assert ended in events[: len(events) - events[::-1].index("service_started")]


def test_kill_of_everything_resumes(service: Service, exchange: InsideExchange) -> None:
    service.configure("RestartSec=100ms")
    exchange.list_bots(bot_row())
    service.start()
    held = service.until_holding()
    service.systemctl("kill", "--signal=KILL")
    eventually(lambda: service.show("NRestarts") == "1", "it is restarted", 60)
    restarted_once(service, exchange, orders=1)
    assert service.bot()["position"] == held["position"]


@pytest.mark.parametrize(("ends", "orders"), [("liquidate", 3), ("hold", 1)])
def test_a_loop_that_hangs_is_ended_and_restarted(
    service: Service, exchange: InsideExchange, ends: str, orders: int
) -> None:
    service.machine.write("/opt/execsvc/spinning/sitecustomize.py", SPIN)
    service.configure(WATCHED, EXECSVC_ON_SHUTDOWN=ends)
    exchange.list_bots(bot_row())
    service.start()
    service.until_holding()
    service.kill("RTMIN", service.main_pid)
    eventually(lambda: service.show("NRestarts") == "1", "it is restarted", 60)
    restarted_once(service, exchange, orders)
    said = service.journal()
    assert "Watchdog timeout" in said
    assert "in spin" in said  # where it hung
    assert "timed out" not in said  # no process had to be killed


@pytest.mark.parametrize(("ends", "orders"), [("liquidate", 3), ("hold", 1)])
def test_a_supervisor_that_is_stopped_is_replaced(
    service: Service, exchange: InsideExchange, ends: str, orders: int
) -> None:
    service.configure(WATCHED, EXECSVC_ON_SHUTDOWN=ends)
    exchange.list_bots(bot_row())
    service.start()
    service.until_holding()
    service.kill("STOP", service.main_pid)
    eventually(lambda: service.show("NRestarts") == "1", "it is restarted", 60)
    restarted_once(service, exchange, orders)


def test_term_to_one_bot_leaves_the_others_alone(
    service: Service, exchange: InsideExchange
) -> None:
    exchange.list_bots(*[bot_row(f"b{n}") for n in range(1, 4)])
    service.start()
    pids = {f"b{n}": service.until_holding(f"b{n}")["pid"] for n in range(1, 4)}
    service.kill("TERM", pids["b2"])
    eventually(lambda: service.bot("b2")["state"] == "HELD", "b2 is held", 60)
    assert {bot: service.bot(bot)["pid"] for bot in ("b1", "b3")} == {
        bot: pids[bot] for bot in ("b1", "b3")
    }
    assert len(exchange.executed(side="sell")) == 1
    service.until(StatusText="1 HELD, 2 RUNNING")
