"""A line that is cut just before an order leaves: when it is whole again, nothing arrives late.

The kernel would go on sending what was written, after the process was killed as well, and an order
would be executed that had been settled as never executed.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row, processes
from support.deadline import eventually
from support.exchange import Exchange
from support.lines import Line, Namespace, lines
from support.requirements import needs
from support.store_files import intents

from execsvc.failpoints import Failpoint
from execsvc.model.order import OrderState
from execsvc.sandbox.server import Sandbox

WITHIN = 90.0
BEYOND = 6.0
"""Seconds that are waited after the last line is mended, for what may still come."""
PATIENT = {"EXECSVC_REQUEST_TIMEOUT": "20", "EXECSVC_SETTLEMENT_WINDOW": "20"}


class Cut(NamedTuple):
    """For how many seconds the line is cut, what becomes of the process, its ORDER_TIMEOUT."""

    seconds: float
    ending: str
    order_timeout: float


CUTS = [
    Cut(6, "killed", 60),
    Cut(6, "gives up", 3),
    Cut(20, "killed", 60),
    Cut(20, "waits on", 60),
    Cut(50, "killed", 60),
    Cut(50, "waits on", 60),
]


class CutLine:
    """Cuts the line, in the process of the bot, between the record of its first order and the send."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._is_whole = True

    def __call__(self, failpoint: Failpoint) -> None:
        if failpoint is Failpoint.BEFORE_SEND and self._is_whole:
            self._is_whole = False
            self._line.cut()


class Trader:
    """A bot at the end of its line."""

    def __init__(self, cut: Cut, name: str, line: Line, bots: BotProcesses) -> None:
        self.cut, self.name, self.line = cut, name, line
        self.state_dir = bots.state_dir
        self.mended = False
        patience = {**PATIENT, "EXECSVC_ORDER_TIMEOUT": f"{cut.order_timeout:g}"}
        with line.entered():
            row = bot_row(name, key=name)
            self.process: BotProcess = bots.start(row, watcher=CutLine(line), **patience)

    @property
    def first_order(self) -> tuple[str, OrderState] | None:
        """The order that was recorded before the cut, and where it stands."""
        return next(iter(intents(self.state_dir, self.name)), None)

    @property
    def is_waiting(self) -> bool:
        """True while the process waits for an answer to its first order."""
        order = self.first_order
        return order is not None and order[1] is OrderState.IN_FLIGHT

    @property
    def has_written(self) -> bool:
        """True once the order has left the process, or is given up on a machine that is slow."""
        return self.first_order is not None and bool(self.line.undelivered() or not self.is_waiting)

    def kill(self) -> None:
        """With the process ends what it had not delivered."""
        is_waiting = self.is_waiting
        self.process.signal(signal.SIGKILL)
        self.process.wait()
        if is_waiting:
            assert self.line.undelivered() == [], f"{self.cut}: the kernel goes on sending"

    def mend_in_time(self, passed: float) -> bool:
        """Mend the line once its time has come; True from then on."""
        if not self.mended and passed >= self.cut.seconds:
            self.line.mend()
            self.mended = True
        return self.mended


class World(NamedTuple):
    """A sandbox in a namespace of its own, and bots at the ends of their lines."""

    server: Namespace
    exchange: Exchange
    traders: list[Trader]

    def ids_at_exchange(self, name: str) -> list[str]:
        """The orders of an account that have arrived."""
        with self.server.entered():
            return [order["client_order_id"] for order in self.exchange.orders(name)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        server, ends = stack.enter_context(lines(len(CUTS)))
        with server.entered():
            sandbox = Sandbox(address="0.0.0.0")
            sandbox.start()
            stack.callback(sandbox.stop)
            exchange = Exchange(sandbox.url)
            exchange.market(price="50000")
            for number in range(len(CUTS)):
                exchange.fund(f"b{number}")
        port = sandbox.url.rpartition(":")[2]
        traders = []
        for number, (cut, line) in enumerate(zip(CUTS, ends, strict=True)):
            url = f"http://{line.theirs}:{port}"
            running = processes(url, tmp_path / f"b{number}")
            bots = next(running)
            stack.callback(next, running, None)
            traders.append(Trader(cut, f"b{number}", line, bots))
        yield World(server, exchange, traders)


@pytest.mark.long
@pytest.mark.slow
@needs("network namespaces")
def test_order_on_a_line_that_is_cut_never_arrives_late(world: World) -> None:
    for trader in world.traders:
        eventually(lambda t=trader: t.has_written, f"{trader.cut}: the order is written", WITHIN)
        if trader.cut.ending == "killed":
            trader.kill()
    began = time.monotonic()
    for trader in world.traders:
        assert world.ids_at_exchange(trader.name) == [], f"{trader.cut}: the line is cut"
    eventually(
        lambda: all(t.mend_in_time(time.monotonic() - began) for t in world.traders),
        "every line is whole again",
        WITHIN,
    )
    time.sleep(BEYOND)
    for trader in world.traders:
        arrived, first = world.ids_at_exchange(trader.name), trader.first_order
        assert first is not None and first[0] not in arrived, f"{trader.cut}: it has arrived"
        if trader.cut.ending == "killed":
            assert arrived == [], trader.cut
