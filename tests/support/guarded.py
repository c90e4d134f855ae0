"""A bot's guards, with its ledger and a clock that a test moves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from support.clocks import SetClock
from support.ledger_samples import BINDING, order
from support.stores import store_in

from execsvc.clock import installed
from execsvc.errors import GuardRefused
from execsvc.execution.guards import GuardLimits, Guards
from execsvc.model.order import Fill, Side
from execsvc.runner.record import Record
from execsvc.runner.reporter import Reporter

D = Decimal
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
ALL = GuardLimits(D(1000), 2, D(10), 5.0)


class GuardedOrders:
    """The guards that an order of the bot would meet."""

    def __init__(self, state_dir: Path, clock: SetClock) -> None:
        self.state_dir, self.clock = state_dir, clock
        self.ledger = store_in(state_dir).bot("b1")
        self.ledger.open()
        self.binding = BINDING
        self.number = 0
        self.reporter = Reporter(os.open(os.devnull, os.O_WRONLY))
        self.start()

    def start(self, limits: GuardLimits = ALL) -> None:
        """As a new process of the bot."""
        services: Any = SimpleNamespace(
            ledger=self.ledger, record=Record("b1", self.ledger), reporter=self.reporter
        )
        self.guards = Guards(services, self.binding, limits)

    def order(self, side: Side, price: str = "50000", **changes: Any) -> None:
        """An order of 0.01, sent and booked now."""
        self.number += 1
        now = self.clock.now()
        fill = Fill(filled=D("0.01"), average=D(price))
        made = order(self.number, side).model_copy(
            update={"fill": fill, "created_at": now, "settled_at": now, **changes}
        )
        self.ledger.book(self.binding, made)

    def lose(self, quote: str) -> None:
        """A round trip that costs so much, in the past minute but two."""
        self.order(Side.BUY)
        self.clock.advance(61)
        self.order(Side.SELL, f"{50000 - 100 * D(quote):f}")
        self.clock.advance(61)

    def tick(self) -> None:
        self.guards.begin_tick()
        self.guards.read("ticker", self.clock.monotonic())

    def enters(self, amount: str = "0.01") -> bool:
        """True when an entry worth 500 (or so) is let through."""
        try:
            self.guards.check_entry()
            self.guards.admit(D(amount), D(50000), self.clock.monotonic())
        except GuardRefused as refusal:
            return not set(refusal.guards) <= set(self.tripped)
        return True

    @property
    def tripped(self) -> list[str]:
        return [guard["guard"] for guard in self.reporter.snapshot.guards]

    @property
    def said(self) -> list[str]:
        rows = store_in(self.state_dir).read_log("b1")
        return [f"{row.event} {row.data['guard']}" for row in rows if "guard_" in row.event]


def guarded(state_dir: Path) -> Iterator[GuardedOrders]:
    """For a fixture: a bot's order service at noon, under all limits."""
    clock = SetClock(NOON)
    with installed(clock):
        made = GuardedOrders(state_dir, clock)
        yield made
        made.ledger.close()
