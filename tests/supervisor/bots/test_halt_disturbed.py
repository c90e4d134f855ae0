"""A halt when something else goes wrong: markets, shutdowns, disks, listings."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.halting import again, all_flat, halted, holding
from support.scripted_service import Scripted


def test_a_failed_liquidation_goes_on_being_tried_also_over_a_restart(
    service: Scripted, bots: Exchange
) -> None:
    service.direct(opens=True, residue=True, liquidation="fails")
    bots.list_bots(bot_row())
    service.start()
    service.until("RUNNING")
    service.ask("halt")
    eventually(lambda: service.history().count("LIQUIDATE") >= 2, "it is tried again")
    (left,) = service.ask("unfinished")["bots"]
    assert left["going_on"]
    assert len(service.health()[1]["reasons"]) == 2
    service.signal(signal.SIGUSR2)
    assert service.wait() == 75
    assert "position left open: bot b1, BTC/USDT, tracked 0.5" in service.log
    service.direct()
    service.start()
    all_flat(service)


def test_a_kept_position_that_was_to_be_closed_is_not_held_as_asked(
    service: Scripted, bots: Exchange
) -> None:
    pids = holding(service, bots, 3)
    os.kill(pids[0], signal.SIGUSR2)
    service.until("HELD")
    service.direct(liquidation="fails")
    service.ask("halt")
    eventually(lambda: service.history()[-1] == "LIQUIDATE RESIDUE")
    service.signal(signal.SIGUSR2)
    assert service.wait() == 75
    assert "position left open: bot b1" in service.log


@pytest.mark.parametrize("how", ["signal", "setting"])
def test_a_service_that_holds_while_halted_goes_on_at_the_next_start(
    service: Scripted, bots: Exchange, how: str
) -> None:
    service.direct(opens=True, stop_beats=10_000)
    bots.list_bots(bot_row())
    service.start(
        EXECSVC_ON_SHUTDOWN="hold" if how == "setting" else "liquidate",
        EXECSVC_SHUTDOWN_TIMEOUT="2",
    )
    service.until("RUNNING")
    service.ask("halt")
    service.until("STOPPING")
    service.signal(signal.SIGTERM if how == "setting" else signal.SIGUSR2)
    assert service.wait() == 75
    service.direct()
    service.start()
    all_flat(service)
    assert service.history().count("TRADE") == 1


def test_a_halt_during_a_shutdown_that_holds_is_for_the_next_start(
    service: Scripted, bots: Exchange
) -> None:
    service.direct("b2", deaf=True)
    holding_rows = [bot_row("b1"), bot_row("b2")]
    service.direct("b1", opens=True)
    bots.list_bots(*holding_rows)
    service.start(EXECSVC_SHUTDOWN_TIMEOUT="5")
    for name in ("b1", "b2"):
        service.until("RUNNING", name)
    service.signal(signal.SIGUSR2)
    service.happened("TRADE", "TRADE HELD")
    assert service.ask("halt")["not_written"] is None
    assert service.wait() == 75
    again(service)
    all_flat(service)
    assert service.status()["counts"] == {"STOPPED": 2}


@pytest.mark.says("trading_halted")
def test_a_damaged_file_is_a_halt_and_is_said(service: Scripted, bots: Exchange) -> None:
    service.state_dir.mkdir(mode=0o700)
    (service.state_dir / "halted.json").write_text("{")
    bots.list_bots(bot_row())
    again(service)
    assert "halted.json cannot be read" in halted(service)["reason"]
    assert service.until("STOPPED")["last_error"].startswith("trading is halted: halted.json")
    assert "CRITICAL" in service.log
    assert "halted.json cannot be read" in service.health()[1]["reasons"][0]
    service.ask("resume")
    service.until("RUNNING")
    assert not (service.state_dir / "halted.json").exists()


@pytest.mark.says("halt_not_written")
def test_a_halt_that_cannot_be_written_is_in_force_and_said(
    service: Scripted, bots: Exchange
) -> None:
    holding(service, bots, 2)
    (service.state_dir / "halted.new").mkdir()
    assert "halted.json cannot be written" in service.ask("halt")["not_written"]
    all_flat(service)
    assert halted(service) is not None
    assert "until the service restarts, and no longer" in service.log


def test_a_halt_that_cannot_be_ended_stays(running: Scripted) -> None:
    running.ask("halt")
    all_flat(running)
    path = running.state_dir / "halted.json"

    def put_in_the_way() -> bool:
        path.unlink(missing_ok=True)  # and the service may write it again at once
        with suppress(FileExistsError, NotADirectoryError):
            (path / "in the way").mkdir(parents=True)
        return path.is_dir()

    eventually(put_in_the_way)
    assert "trading stays halted" in running.ask("resume")["error"]
    assert halted(running) is not None


def test_neither_a_mass_stop_that_waits_nor_a_wiped_listing_stands_in_its_way(
    service: Scripted, bots: Exchange
) -> None:
    pids = holding(service, bots, 6, EXECSVC_MASS_STOP_CONFIRMATIONS="1000")
    os.kill(pids[0], signal.SIGTERM)
    service.until("HELD")
    bots.list_bots()
    eventually(lambda: service.status()["poll"]["pending_mass_stop"])
    service.ask("halt")
    all_flat(service)
    polls = bots.requests_of("bots")
    eventually(lambda: bots.requests_of("bots") > polls + 6)
    assert service.bot()["state"] == "HELD", "a wiped database does not let it go"
    bots.list_bots(*[bot_row(f"b{n}") for n in range(1, 7)])
    assert service.ask("resume")["held"] == ["b1"]
    eventually(lambda: service.status()["counts"] == {"HELD": 1, "RUNNING": 5})


def test_a_contested_order_is_said_and_not_waited_for(service: Scripted, bots: Exchange) -> None:
    service.scripts.keep("b1", is_open=False, binding=None, contested=1)
    bots.list_bots()
    service.start()
    service.ask("halt")
    (left,) = service.ask("unfinished")["bots"]
    assert (left["why"], left["going_on"]) == ("1 contested, see execsvc settle", False)
    assert service.bot()["state"] == "STOPPED"
