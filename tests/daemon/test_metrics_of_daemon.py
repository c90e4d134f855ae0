"""``/metrics`` of the real program: against the exchange's own books, over deaths."""

from __future__ import annotations

import os
import signal
from collections import Counter
from decimal import Decimal

from prometheus_client.parser import text_string_to_metric_families
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import CONTROL_PLANE, all_hold, assert_over, rows, succeeds, titled

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
LOOPING = {"hold_duration": 1, "loop_count": 0}


def scrape(daemon: Daemon) -> Samples:
    """Every sample by name and labels."""
    answer = daemon.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def summed(samples: Samples, name: str, /, **labels: str) -> float:
    """The sum of the series with these labels, whatever others they have."""
    wanted = set(labels.items())
    return sum(value for (n, have), value in samples.items() if n == name and wanted <= have)


def orders(samples: Samples) -> dict[tuple[str, str], float]:
    """Live orders by side and outcome, without those that never happened."""
    found = {}
    for (name, labels), value in samples.items():
        given = dict(labels)
        if name == "execsvc_orders_total" and given["mode"] == "live" and value:
            found[given["side"], given["outcome"]] = value
    return found


def in_the_books(exchange: Exchange) -> dict[tuple[str, str], float]:
    """The same by the exchange."""
    found: Counter[tuple[str, str]] = Counter()
    for order in exchange.orders():
        filled, amount = Decimal(order["filled"]), Decimal(order["amount"])
        outcome = "refused" if filled == 0 else "filled" if filled == amount else "partly"
        found[order["side"], outcome] += 1
    return dict(found)


def only_grew(before: Samples, after: Samples) -> None:
    """No counter went back or vanished."""
    kinds = ("_total", "_bucket", "_count", "_sum")
    counters = {key: value for key, value in before.items() if key[0].endswith(kinds)}
    assert len(counters) > 70
    assert [key for key, value in counters.items() if after.get(key, -1) < value] == []


def test_orders_by_outcome_are_those_of_the_exchange(daemon: Daemon, exchange: Exchange) -> None:
    sell, buy = {"side": "sell"}, {"side": "buy"}
    exchange.fault("refuse", call="order", match=sell, times=1, skip=1)
    exchange.fault("partial", call="order", match=sell, times=1, skip=2)
    exchange.fault("close", call="order", match=buy, times=1, skip=1, execute=True)
    exchange.fault("status", call="order", match=buy, times=1, skip=2, execute=False)
    exchange.list_bots(bot_row("b1", params=LOOPING), bot_row("b2", mode="PAPER"))
    daemon.start()
    eventually(lambda: len(exchange.orders(side="sell")) >= 6, "it trades on", 90)
    exchange.list_bots()
    daemon.until("STOPPED", "b1")
    daemon.until("STOPPED", "b2")
    samples = scrape(daemon)
    assert orders(samples) == in_the_books(exchange)
    assert set(orders(samples)) >= {
        ("buy", "filled"),
        ("sell", "filled"),
        ("sell", "partly"),
        ("sell", "refused"),
    }
    assert summed(samples, "execsvc_orders_unknown_total", side="buy") == 2
    assert summed(samples, "execsvc_orders_unknown_total", side="sell") == 0
    assert summed(samples, "execsvc_settlements_total", outcome="filled") == 1
    assert summed(samples, "execsvc_settlements_total", outcome="refused") == 1
    assert summed(samples, "execsvc_orders_total", mode="paper", side="buy") == 1
    assert summed(samples, "execsvc_liquidations_total", result="failed") == 0
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_counters_survive_whoever_is_killed(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(3, params=LOOPING))
    daemon.start()
    eventually(lambda: summed(scrape(daemon), "execsvc_orders_total", side="sell") >= 3, "orders")
    before = scrape(daemon)
    pid = daemon.bot("b0")["pid"]
    os.kill(pid, signal.SIGKILL)
    succeeds(daemon, pid, "b0")
    after = scrape(daemon)
    only_grew(before, after)
    assert summed(after, "execsvc_restarts_total") == 1
    assert summed(before, "execsvc_restarts_total") == 0
    for process in titled(daemon, CONTROL_PLANE):
        process.kill()
    eventually(lambda: _answers(daemon), "another control plane answers")
    only_grew(after, scrape(daemon))
    ticks = summed(scrape(daemon), "execsvc_ticks_total")
    eventually(lambda: summed(scrape(daemon), "execsvc_ticks_total") > ticks, "they tick on")
    assert summed(scrape(daemon), "execsvc_tick_duration_seconds_count") >= ticks


def test_read_errors_listing_failures_and_positions(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row("b1"), bot_row("b2"))
    daemon.start()
    all_hold(daemon, 2)
    samples = scrape(daemon)
    for bot_id in ("b1", "b2"):
        position = daemon.bot(bot_id)["position"]
        tracked = Decimal(position["tracked"])
        entry = float(tracked * Decimal(position["entry_price"]))
        assert summed(samples, "execsvc_bot_tracked_base", bot_id=bot_id) == float(tracked)
        shown = summed(samples, "execsvc_bot_entry_value_quote", bot_id=bot_id, symbol="BTC/USDT")
        assert abs(shown - entry) < entry * 1e-9
    held = summed(samples, "execsvc_bot_tracked_base")
    assert abs(held - float(exchange.bots_base())) < 1e-9
    assert summed(samples, "execsvc_read_errors_total") == 0
    for call in ("ticker", "bots"):
        exchange.fault("status", call=call, status=500, times=None)
    eventually(lambda: summed(scrape(daemon), "execsvc_listing_failures_total") >= 2, "failures")
    eventually(lambda: summed(scrape(daemon), "execsvc_listing_age_seconds") > 1, "it ages")
    eventually(lambda: scrape(daemon)["execsvc_degraded", frozenset()] == 1, "degraded")
    exchange.heal()
    exchange.list_bots(bot_row("b2"))
    eventually(lambda: summed(scrape(daemon), "execsvc_bots", state="STOPPED") == 1, "b1 stops")
    samples = scrape(daemon)
    assert summed(samples, "execsvc_bot_tracked_base", bot_id="b1") < 0.00001
    assert summed(samples, "execsvc_liquidations_total", result="closed") == 1
    assert summed(samples, "execsvc_liquidation_attempts_total") == 1


def test_a_liquidation_that_fails_counts(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    exchange.fault("refuse", call="order", match={"side": "sell"}, times=None)
    exchange.stop_bot()

    def failing() -> bool:
        samples = scrape(daemon)
        failed = summed(samples, "execsvc_liquidations_total", result="failed") >= 2
        return failed and summed(samples, "execsvc_bot_liquidation_failing", bot_id="b1") == 1

    eventually(failing, "two liquidations have failed", 60)
    exchange.heal()
    daemon.until("STOPPED")
    samples = scrape(daemon)
    assert summed(samples, "execsvc_bot_liquidation_failing", bot_id="b1") == 0
    assert summed(samples, "execsvc_liquidations_total", result="closed") == 1
    assert summed(samples, "execsvc_liquidation_attempts_total") == len(
        exchange.orders(side="sell")
    )


def test_results_guards_and_a_halt(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row("b1", params={"hold_duration": 1}), bot_row("b2", mode="PAPER"))
    daemon.start(EXECSVC_MAX_ORDERS_PER_MINUTE="1")
    # A fee of a thousandth of 1000 USDT, each way.
    daemon.until("RUNNING")
    eventually(lambda: float(daemon.bot()["result"]["realised"] or 0) < -1.5, "it bought and sold")
    result, samples = daemon.bot()["result"], scrape(daemon)
    for name, shown in (("realised", "realised"), ("realised_today", "today")):
        metric = f"execsvc_bot_{name}_quote"
        assert summed(samples, metric, bot_id="b1", currency="USDT") == float(result[shown])
    assert summed(samples, "execsvc_bot_realised_quote", bot_id="b1") < 0, "fees are paid"
    assert summed(samples, "execsvc_halted") == 0
    assert daemon.command("halt").returncode == 0
    eventually(lambda: scrape(daemon)["execsvc_halted", frozenset()] == 1, "halted")
    samples = scrape(daemon)
    assert summed(samples, "execsvc_conditions", kind="halted") == 1
    assert summed(samples, "execsvc_degraded") == 1


def test_an_entry_beyond_a_limit_shows(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row("b1"))
    daemon.start(EXECSVC_MAX_ORDER_NOTIONAL="10")
    tripped = "execsvc_guards_tripped"
    eventually(lambda: summed(scrape(daemon), tripped, guard="order_notional") == 1, "it trips")
    assert summed(scrape(daemon), tripped, guard="daily_loss") == 0
    assert summed(scrape(daemon), "execsvc_orders_total") == 0
    assert exchange.orders() == []


def test_a_supervisor_that_stands_still_fails_the_scrape(
    daemon: Daemon, exchange: Exchange
) -> None:
    daemon.start()
    eventually(lambda: _answers(daemon), "it answers")
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        assert daemon.get("/metrics").status_code == 503
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    eventually(lambda: _answers(daemon), "it answers again")


def _answers(daemon: Daemon) -> bool:
    try:
        return daemon.get("/metrics").status_code == 200
    except OSError:
        return False
