"""The unit's log in the journal of a real journald: asked for by its fields, and when journald hangs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.installed import InsideExchange, Service
from support.machine import Machine

BOT = "b/ü 1 机器人"
JOURNALD = "systemd-journald"


def entries(service: Service, *matches: str) -> list[dict[str, str]]:
    """The lines that ``journalctl`` shows for ``matches`` since the test began."""
    service.machine.run("journalctl", "--sync")
    shown = service.machine.run("journalctl", "-o", "json", f"--since=@{service.since}", *matches)
    return [json.loads(line) for line in shown.splitlines()]


def messages(service: Service, *matches: str) -> str:
    """The messages of :func:`entries`."""
    return "\n".join(entry["MESSAGE"] for entry in entries(service, *matches))


@contextmanager
def hanging(machine: Machine, unit: str) -> Iterator[None]:
    """The unit's process stands still within the block."""
    machine.run("systemctl", "kill", "--signal=STOP", unit)
    try:
        yield
    finally:
        machine.run("systemctl", "kill", "--signal=CONT", unit)


def test_a_bot_and_an_event_can_be_asked_for(service: Service, exchange: InsideExchange) -> None:
    exchange.list_bots(bot_row(BOT))
    service.start()
    service.until_holding(BOT)
    service.systemctl("stop")

    of_bot = entries(service, "-u", service.name, f"BOT_ID={BOT}")
    assert {"bot_started", "order_filled", "bot_stopping"} <= {entry["EVENT"] for entry in of_bot}
    assert {entry["_SYSTEMD_UNIT"] for entry in of_bot} == {"execsvc.service"}
    assert {entry["SYSLOG_IDENTIFIER"] for entry in of_bot} == {"execsvc"}
    (bought, sold) = entries(service, "EVENT=order_filled")
    assert [bought["SIDE"], sold["SIDE"]] == ["buy", "sell"]
    assert (bought["BOT_ID"], bought["SYMBOL"], bought["KEY_ID"]) == (BOT, "BTC/USDT", "k1")
    executed = [order["client_order_id"] for order in exchange.executed()]
    assert [bought["ORDER_ID"], sold["ORDER_ID"]] == executed
    assert entries(service, "-t", "execsvc", "EVENT=service_stopped")


def test_a_journald_that_hangs_delays_no_sell_and_hears_of_it_later(
    service: Service, exchange: InsideExchange
) -> None:
    service.configure(EXECSVC_LOG_LEVEL="TRACE", EXECSVC_TICK_INTERVAL="0.05")
    exchange.list_bots(bot_row(BOT))
    service.start()
    service.until_holding(BOT)
    with hanging(service.machine, JOURNALD):
        pid = service.main_pid
        # Its whole status, a line a bot, so many times: one shell is quicker than 300 programs.
        asks = f"for n in $(seq 300); do kill -s USR1 {pid}; sleep 0.02; done"
        service.machine.run("sh", "-c", asks)
        service.kill("TERM", pid)
        eventually(lambda: exchange.executed(side="sell"), "it is sold")
        service.until(ActiveState="inactive", Result="success")

    assert exchange.bots_base() == 0
    everything = ("-t", "execsvc")  # also what journald read when its writer was dead
    eventually(lambda: "stopped, exit code 0" in messages(service, *everything), "the last word")


@pytest.mark.parametrize("verb", ["kill", "restart"])
def test_a_journald_that_ends_is_found_again(
    service: Service, exchange: InsideExchange, verb: str
) -> None:
    exchange.list_bots(bot_row(BOT))
    service.start()
    service.until_holding(BOT)
    options = ("--signal=KILL",) if verb == "kill" else ()
    service.machine.run("systemctl", verb, *options, f"{JOURNALD}.service")
    service.systemctl("stop")

    assert exchange.bots_base() == 0
    everything = ("-t", "execsvc")
    eventually(lambda: "stopped, exit code 0" in messages(service, *everything), "the last word")
    assert [entry["SIDE"] for entry in entries(service, "EVENT=order_filled")] == ["buy", "sell"]
