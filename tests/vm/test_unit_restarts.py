"""With what the service may end, whether systemd starts it again, and how long it waits."""

from __future__ import annotations

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.installed import SANDBOX_URL, InsideExchange, Service
from support.verdicts import CRUMB

from execsvc.sandbox.server import Sandbox

SOON = "RestartSec=100ms"


def cannot_sell(exchange: InsideExchange) -> None:
    """Nothing can be sold until the exchange is healed."""
    exchange.fault("status", call="order", status=503, times=None)
    exchange.fault("status", call="balance", status=503, times=None)


def test_what_a_signal_leaves_open_is_taken_up_by_a_restart(
    service: Service, exchange: InsideExchange
) -> None:
    service.configure(SOON, EXECSVC_SHUTDOWN_TIMEOUT="2")
    exchange.list_bots(bot_row())
    service.start()
    held = service.until_holding()
    cannot_sell(exchange)
    service.kill("TERM", service.main_pid)
    eventually(lambda: service.show("NRestarts") == "1", "it is restarted", 60)
    assert "status=75" in service.journal()
    exchange.heal()
    assert service.until_holding()["position"] == held["position"]
    assert exchange.executed(side="sell") == []


def test_what_systemctl_stop_leaves_open_stays_stopped_and_is_named(
    service: Service, exchange: InsideExchange
) -> None:
    service.configure(SOON, EXECSVC_SHUTDOWN_TIMEOUT="2")
    exchange.list_bots(bot_row())
    service.start()
    held = service.until_holding()
    cannot_sell(exchange)
    service.machine.attempt("systemctl", "stop", service.name)
    assert service.show("ActiveState") == "failed"
    assert service.show("ExecMainStatus") == "75"
    assert service.show("NRestarts") == "0"
    (line,) = [line for line in service.journal().splitlines() if "left open" in line]
    for word in ("b1", "BTC/USDT", held["position"]["tracked"]):
        assert word in line


@pytest.mark.parametrize("fault", ["a value", "no file"])
def test_refused_settings_are_not_tried_again(service: Service, fault: str) -> None:
    if fault == "a value":
        service.configure(SOON, EXECSVC_POLL_INTERVAL="soon")
    else:
        service.configure(SOON)
        service.machine.run("rm", service.env_file)
    assert service.machine.attempt("systemctl", "start", service.name).returncode != 0
    assert service.show("ActiveState") == "failed"
    assert service.show("ExecMainStatus") == "78"
    assert service.show("NRestarts") == "0"
    named = "EXECSVC_POLL_INTERVAL" if fault == "a value" else service.env_file
    assert named in service.journal()


def test_a_port_that_is_taken_is_tried_again(service: Service, sandbox: Sandbox) -> None:
    service.configure(SOON, EXECSVC_HTTP_BIND=SANDBOX_URL.removeprefix("http://"))
    service.machine.run("systemctl", "start", "--no-block", service.name)
    eventually(lambda: service.show("NRestarts") != "0", "it is restarted", 60)
    assert "status=69" in service.journal()
    sandbox.stop()
    service.until(ActiveState="active")


def test_starts_that_end_in_crashes_are_given_up(service: Service) -> None:
    service.configure(f"{SOON}\nExecStartPost=/bin/false")
    service.machine.run("systemctl", "start", "--no-block", service.name)
    service.until(ActiveState="failed", NRestarts="5")


def test_a_stop_that_gets_on_is_given_more_time(service: Service, exchange: InsideExchange) -> None:
    """One account's sells take turns: together they need longer than the unit's time-out."""
    service.configure("TimeoutStopSec=3")
    exchange.list_bots(*[bot_row(f"b{n}", params={"allocation_ratio": "0.02"}) for n in range(6)])
    service.start()
    for n in range(6):
        service.until_holding(f"b{n}")
    exchange.fault("slow", call="order", match={"side": "sell"}, seconds=1, times=None)
    service.systemctl("stop")
    assert "timed out" not in service.journal()
    assert service.show("Result") == "success"
    assert service.show("ExecMainStatus") == "0"
    assert len(exchange.executed(side="sell")) == 6
    assert exchange.bots_base() < 6 * CRUMB
