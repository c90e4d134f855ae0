"""A bot on an account of its own that dies at one point of its life, and its successor."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.stores import store_in, waiting

from execsvc.failpoints import Failpoint
from execsvc.runner.job import Task

DEAD = 99
CRUMB = Decimal("0.0001")
"""Worth 5 USDT: less than this is dust."""
PRICE = 50_000
CENT = Decimal("0.01")
Point = tuple[str, int]
"""A failpoint's name, and which pass of it, from 1 on."""
TICK_INTERVAL = 5.0
"""Seconds. A bot that holds does nothing at a tick but read, so ticks only cost the machine."""
RECEIVE_WINDOW = 4.0
"""Seconds within which an order is executed or not at all: less than ORDER_TIMEOUT."""
QUICK = {
    "EXECSVC_ORDER_TIMEOUT": "5",
    "EXECSVC_SETTLEMENT_WINDOW": "1",
    "EXECSVC_LIQUIDATION_ATTEMPTS": "10",
    "EXECSVC_REPORT_LEDGER": "true",
}


class Crash:
    """Ends its process dead at the n-th pass of a failpoint; keeps a trace of all it passed."""

    def __init__(self, trace: Path, at: Point | None) -> None:
        self._trace = trace
        self._at = at
        self._passed: Counter[str] = Counter()

    def __call__(self, failpoint: Failpoint) -> None:
        self._passed[failpoint.name] += 1
        with self._trace.open("a") as trace:
            trace.write(failpoint.name + "\n")
        if (failpoint.name, self._passed[failpoint.name]) == self._at:
            os._exit(DEAD)


class Life:
    """One bot on an account of its own, dying at one point."""

    def __init__(
        self, bots: BotProcesses, exchange: Exchange, name: str, trace: Path, at: Point | None
    ) -> None:
        self.name = name
        self.at = at
        self._bots = bots
        self._exchange = exchange
        self._trace = trace
        self._row = bot_row(name, key=name, interval=TICK_INTERVAL)
        self._term_sent = False
        self.died = False
        self.slack = CENT
        exchange.fund(name)
        self.process = bots.start(self._row, watcher=Crash(trace, at), **QUICK)

    @property
    def trace(self) -> list[str]:
        """The failpoints that its first process passed."""
        return self._trace.read_text().split() if self._trace.exists() else []

    def stop_once_holding(self) -> None:
        """Let it buy; then tell it to stop, if it still lives."""
        eventually(lambda: _dead(self.process) or _holds(self.process), f"{self.name} buys", 90)
        if not _dead(self.process):
            self._term_sent = True
            self.process.signal(signal.SIGTERM)

    def recover(self) -> None:
        """Start whatever the supervisor would start."""
        code = self.process.wait(90)
        assert code in (0, DEAD), f"{self.name}: {code}"
        self.died = code == DEAD
        if not self.died:
            return
        task = Task.LIQUIDATE if self._term_sent else Task.TRADE
        self.process = self._bots.start(
            self.name if self._term_sent else self._row, task=task, **QUICK
        )

    def stop_again(self) -> None:
        """A successor that trades holds the one position, then stops."""
        if not self._term_sent:
            self.stop_once_holding()

    def judge(self) -> None:
        """By the exchange's books: one entry, all of it sold, no other owner's coin."""
        assert self.process.wait(90) == 0, f"{self.name}: {self.trace[-3:]}"
        exchange, name = self._exchange, self.name
        assert exchange.lowest(name) >= OWN_BTC, name
        assert len(exchange.executed(name, "buy")) == 1, name
        state = store_in(self._bots.state_dir).read(name)
        assert state is not None and not state.is_open, name
        assert state.position.tracked == exchange.bots_base(name), name
        assert exchange.bots_base(name) < CRUMB, name
        assert not any(order["resends"] for order in exchange.orders(name)), name
        usdt = Decimal(exchange.account(name)["balances"]["USDT"]["free"])
        earned = usdt - 10_000 + exchange.bots_base(name) * PRICE
        assert state.result is not None, name
        assert abs(state.result.realised - earned) < self.slack, f"{name}: {earned}"
        self._judge_outbox()

    def _judge_outbox(self) -> None:
        """BotService is to be told once of all that the exchange heard of, and how it ended."""
        rows = waiting(self._bots.state_dir, self.name)
        told: dict[str, list[str]] = {}
        for row in rows:
            told.setdefault(row.mark.order_id, []).append(row.mark.kind.value)
        filled = {order["client_order_id"] for order in self._exchange.executed(self.name)}
        assert {order for order, kinds in told.items() if "FILLED" in kinds} == filled
        for kinds in told.values():
            assert kinds in (
                ["ORDER", "SENT", "EXECUTION", "FILLED"],
                ["ORDER", "SENT", "FAILED"],
            )


def _dead(process: BotProcess) -> bool:
    process.last  # noqa: B018 - hears it out
    return process.ended


def _holds(process: BotProcess) -> bool:
    return process.last.position["side"] == "BUY"


def _name(at: Point | None) -> str:
    return "alive" if at is None else f"{at[0]}-{at[1]}"


def lead(
    bots: BotProcesses,
    exchange: Exchange,
    folder: Path,
    points: list[Point | None],
    slack: Decimal,
) -> list[Life]:
    """Let one bot die at each of ``points``, all at the same time, and judge each."""
    lives = [Life(bots, exchange, _name(at), folder / f"trace-{_name(at)}", at) for at in points]
    for life in lives:
        life.slack = slack
    steps: list[Callable[[Life], None]] = [
        Life.stop_once_holding,
        Life.recover,
        Life.stop_again,
        Life.judge,
    ]
    for step in steps:
        for life in lives:
            step(life)
    return lives
