"""The unit as it starts, stops, reloads and restarts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from support.bot_process import bot_row
from support.deadline import eventually
from support.installed import InsideExchange, Service

from execsvc.clock import now


def test_it_is_ready_and_says_what_its_bots_do(service: Service, exchange: InsideExchange) -> None:
    exchange.list_bots(bot_row())
    service.start()
    assert service.show("ActiveState") == "active"
    service.until_holding()
    service.until(StatusText="1 RUNNING")


def test_stop_sells_and_status_answers_to_the_end(
    service: Service, exchange: InsideExchange
) -> None:
    service.configure(EXECSVC_ORDER_TIMEOUT="20")
    exchange.list_bots(bot_row())
    service.start()
    service.until_holding()
    exchange.fault("slow", call="order", match={"side": "sell"}, seconds=4)
    answers, answered_at = [], now()
    with ThreadPoolExecutor() as beside:
        stop = beside.submit(service.systemctl, "stop")
        while not stop.done():
            answers.append(service.status())
            answered_at = now() if answers[-1] else answered_at
        stop.result()
    said = [answer["state"] for answer in answers if answer]
    assert set(said[said.index("STOPPING") :]) == {"STOPPING"}
    assert all(answers[: len(said)]), "no answer between two that were given"
    (sell,) = exchange.executed(side="sell")
    # A busy machine may miss the last moments, not all the seconds of the sell.
    assert answered_at > datetime.fromisoformat(
        sell["received_at"].replace("Z", "+00:00")
    ) + timedelta(seconds=1)
    assert "child_restarted" not in service.journal(), "it answered all the time"
    assert exchange.bots_base() == 0
    assert service.show("ExecMainStatus") == "0"
    assert service.show("Result") == "success"
    assert service.show("ActiveState") == "inactive"


def test_a_signal_by_hand_is_a_stop_that_systemd_understands(
    service: Service, exchange: InsideExchange
) -> None:
    exchange.list_bots(bot_row())
    service.start()
    service.until_holding()
    service.kill("TERM", service.main_pid)
    service.until(ActiveState="inactive", Result="success", NRestarts="0")
    assert exchange.bots_base() == 0


def test_reload_reads_the_env_file_again(service: Service, exchange: InsideExchange) -> None:
    exchange.list_bots(bot_row())
    service.start()
    held = service.until_holding()
    pid = service.main_pid
    assert service.status()["poll"]["interval_sec"] == 0.2
    service.configure(EXECSVC_POLL_INTERVAL="0.3")
    service.systemctl("reload")
    eventually(lambda: service.status()["poll"]["interval_sec"] == 0.3, "the interval is the new")
    assert service.main_pid == pid
    assert service.bot()["pid"] == held["pid"]


def test_restart_with_hold_keeps_the_position(service: Service, exchange: InsideExchange) -> None:
    service.configure(EXECSVC_ON_SHUTDOWN="hold")
    exchange.list_bots(bot_row())
    service.start()
    held = service.until_holding()
    service.systemctl("restart")
    again = service.until_holding()
    assert again["position"] == held["position"]
    assert again["pid"] != held["pid"]
    assert service.show("NRestarts") == "0"
    assert len(exchange.orders()) == 1


def test_usr2_ends_the_service_without_selling(service: Service, exchange: InsideExchange) -> None:
    exchange.list_bots(bot_row())
    service.start()
    held = service.until_holding()
    service.systemctl("kill", "--signal=USR2", "--kill-who=main")
    service.until(ActiveState="inactive", Result="success", ExecMainStatus="0")
    assert service.processes() == []
    service.start()
    assert service.until_holding()["position"] == held["position"]
    assert len(exchange.orders()) == 1
