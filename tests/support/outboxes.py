"""Bots' ledgers, BotService, and one reporting worker after the other between them, without processes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

from support.bot_service_wire import Dead, Wire
from support.store_files import file_stem
from support.stores import store_in, waiting

from execsvc.clients.bot_reports import BotReports
from execsvc.clients.bot_sessions import BotSessions
from execsvc.clock import SimulatedClock
from execsvc.model.bot import Binding, Mode
from execsvc.model.order import Fill, OrderState, Side
from execsvc.reporting.attribution import Attribution
from execsvc.reporting.backoff import Backoff
from execsvc.reporting.names import BotNames
from execsvc.reporting.outbox_sender import LONGEST_DELAY, OutboxSender
from execsvc.store.bot_store import BotStore
from execsvc.store.orders import OrderRow

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
BINDING = Binding(mode=Mode.LIVE, key_id="k1", symbol="BTC/USDT", strategy="s")


class World:
    """Bots' ledgers, BotService, and one reporting worker after the other between them."""

    def __init__(self, folder: Path, fates: Iterable[str] = ()) -> None:
        self.folder = folder
        self.wire = Wire(fates)
        self.clock = SimulatedClock(AT)
        self._ledgers: dict[str, BotStore] = {}
        self._orders = 0
        self.start()

    def start(self) -> None:
        """A new reporting worker, which looks everywhere."""
        self.deliveries = store_in(self.folder).deliveries()
        self.deliveries.open()
        backoff = Backoff(LONGEST_DELAY, lambda: 0.0)
        attribution = Attribution(store_in(self.folder).outboxes(), BotSessions(self.wire))
        attribution.open(self.deliveries)
        self.sender = OutboxSender(
            store_in(self.folder).outboxes(),
            BotReports(self.wire),
            self.deliveries,
            attribution,
            backoff,
            BotNames(file_stem),
        )
        self.sender.sweep()

    def trade(self, bot_id: str) -> None:
        """An order of a bot is filled, or refused."""
        self._orders += 1
        filled = Decimal(self._orders % 3)
        order = OrderRow(
            client_order_id=f"c{self._orders}",
            bot_id=bot_id,
            symbol="BTC/USDT",
            side=Side.BUY,
            amount=Decimal(2),
            reason="test",
            state=OrderState.EXECUTED if filled else OrderState.NOT_EXECUTED,
            fill=Fill(filled=filled, average=Decimal(10)),
            created_at=AT + timedelta(seconds=self._orders),
            settled_at=AT,
        )
        self._ledger(bot_id).book(BINDING, order)
        self.sender.mark_changed(file_stem(bot_id))

    def step(self) -> bool:
        """Let the reporting worker do one thing, and start another if it dies of it."""
        try:
            return self.sender.step()
        except Dead:
            self.deliveries.close()
            self.start()
            return True

    def drain(self) -> None:
        """Let it work until nothing waits."""
        for _ in range(10_000):
            if not self.step():
                moment = self.sender.next_moment()
                if moment == float("inf"):
                    return
                self.clock.advance(moment - self.clock.monotonic())
        raise AssertionError("it never ends")

    def outbox(self, bot_id: str) -> list[str]:
        """The reports on a bot that BotService is to get."""
        rows = waiting(self.folder, bot_id)
        return [f"{row.mark.order_id} {row.mark.kind.value}" for row in rows]

    def close(self) -> None:
        """Close all files."""
        self.deliveries.close()
        for ledger in self._ledgers.values():
            ledger.close()

    def _ledger(self, bot_id: str) -> BotStore:
        if bot_id not in self._ledgers:
            self._ledgers[bot_id] = store_in(self.folder).bot(bot_id, reports=True)
            self._ledgers[bot_id].open()
        return self._ledgers[bot_id]
