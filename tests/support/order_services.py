"""Order services of several bots in this process, against a sandbox: for orders without a strategy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path

from support.stores import store_in

from execsvc import settings
from execsvc.execution.order_service import OrderService
from execsvc.model.bot import Binding, Mode
from execsvc.model.order import Fill, OrderRequest, Purpose
from execsvc.runner.assembly import Assembly
from execsvc.runner.reporter import Reporter
from execsvc.runner.services import process_services
from execsvc.runner.waits import Waits
from execsvc.store.opening import open_store


class OrderServices:
    """Makes the order service of a bot that trades ``symbol`` on the account ``key``."""

    def __init__(self, url: str, folder: Path, stack: ExitStack) -> None:
        self.state_dir = folder / "state"
        self._settings = settings.load(
            {},
            None,
            {
                "EXECSVC_BOT_SERVICE_URL": url,
                "EXECSVC_EXCHANGE_ADAPTER_URL": url,
                "EXECSVC_STATE_DIR": str(self.state_dir),
                "EXECSVC_RUNTIME_DIR": str(folder / "run"),
                "EXECSVC_SETTLEMENT_WINDOW": "1",
                "EXECSVC_REQUEST_TIMEOUT": "60",
            },
        )
        self._stack = stack
        self._reporter = Reporter(self._descriptor(os.open(os.devnull, os.O_WRONLY)))
        self._silent, _ = (self._descriptor(end) for end in os.pipe())

    def order_service(
        self,
        bot_id: str,
        symbol: str,
        key: str = "k1",
        mode: Mode = Mode.LIVE,
        allocation: Decimal | None = None,
    ) -> OrderService:
        """The orders of ``bot_id``, whose ledger is open until the end of the block."""
        ledger = store_in(self.state_dir).bot(bot_id)
        ledger.open()
        self._stack.callback(ledger.close)
        waits = Waits(self._silent, self._silent, False, lambda: None)
        services = process_services(ledger, self._settings, self._reporter, waits)
        assembly = Assembly(services, self._settings, open_store(self._settings))
        self._stack.callback(assembly.close)
        binding = Binding(mode=mode, key_id=key, symbol=symbol, strategy="test_trading_v1")
        ledger.bind(binding, None)
        return assembly.orders(binding, allocation)

    def _descriptor(self, descriptor: int) -> int:
        self._stack.callback(os.close, descriptor)
        return descriptor


def ordered(
    orders: OrderService, purpose: Purpose, quantity: Decimal, reason: str = "test"
) -> Fill:
    """The fill of an order for ``quantity``."""
    return orders.place(OrderRequest(purpose, quantity, reason))


@contextmanager
def order_services(url: str, folder: Path) -> Iterator[OrderServices]:
    """OrderServices whose ledgers and descriptors are closed with the block."""
    with ExitStack() as stack:
        yield OrderServices(url, folder, stack)
