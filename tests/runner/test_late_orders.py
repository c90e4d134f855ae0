"""Orders that a busy machine's sandbox executes after the bot has settled them as not executed.

Such an order is never booked. A buy and a sell of that kind nearly cancel each other out: what is left
is what the fee of the buy has too many digits for, 1E-8 BTC, as if it were rounded.
"""

from __future__ import annotations

import signal
import threading
from decimal import Decimal

import pytest
from support.bot_process import BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.stores import store_in

from execsvc.model.order import Side
from execsvc.sandbox.accounts import OrderRecord
from execsvc.sandbox.exchange import OrderBody
from execsvc.sandbox.server import Sandbox


class Stall:
    """A sandbox that leaves the first order of each side lying until the second one has come."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._receive = sandbox.state.exchange.receive
        self._came = dict.fromkeys(Side, 0)
        self._changed = threading.Condition()

    def receive(self, body: OrderBody, waited: float = 0.0) -> OrderRecord:
        """As the exchange does it."""
        record = self._receive(body, waited)
        with self._changed:
            self._came[body.side] += 1
            self._changed.notify_all()
            if self._came[body.side] == 1:
                self._changed.wait_for(lambda: self._came[body.side] > 1, timeout=60)
        return record


def test_settlement_sandbox_reaches_an_order_late_books_agree_to_the_last_digit(
    bots: BotProcesses, exchange: Exchange, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.fund(usdt="9995")  # buys 0.01999 BTC, 0.01997001 after its fee: 1E-8 cannot be sold
    exchange.receive_window(1.5)
    monkeypatch.setattr(sandbox.state.exchange, "receive", Stall(sandbox).receive)
    bot = bots.start(bot_row())
    eventually(lambda: bot.last.position["side"] == "BUY", "it buys at the second attempt")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    for side in ("buy", "sell"):
        eventually(lambda s=side: all(o["answered"] for o in exchange.orders(side=s)), "answers")
        assert len(exchange.executed(side=side)) == 1
        assert len(exchange.orders(side=side)) == 2
    state = store_in(bots.state_dir).read("b1")
    assert state is not None
    assert state.position.tracked == exchange.bots_base() == Decimal("1E-8")
    assert exchange.lowest() >= OWN_BTC
