"""The order services of a bot's process, and the connections that they use."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.order_history import OrderHistory, PastOrder
from execsvc.clients.service_http import adapter_http, bot_service_http
from execsvc.execution.composition import Composition
from execsvc.execution.guards import limits_of
from execsvc.execution.order_service import OrderService
from execsvc.execution.sizing import OrderTerms
from execsvc.execution.venues.restore_signs import StartOfService
from execsvc.model.bot import Binding
from execsvc.runner.services import ProcessServices
from execsvc.settings import Settings
from execsvc.store.reports import keeps_orders
from execsvc.store.store import Store


class ReportedOrders:
    """The orders that BotService knows, by a connection for each question: they are few."""

    def __init__(self, services: ProcessServices, settings: Settings) -> None:
        self._services = services
        self._settings = settings

    def newest(self, bot_id: str) -> PastOrder | None:
        """The order of ``bot_id`` that was sent last, None when none is known. Raises Unavailable."""
        http = bot_service_http(self._settings, self._services.waits.heartbeat)
        with closing(http):
            return OrderHistory(http).newest(bot_id)


class Assembly:
    """The exchange and the order services of one bot's process, made for a binding on demand."""

    def __init__(
        self, services: ProcessServices, settings: Settings, store: Store, start: str = ""
    ) -> None:
        self._services = services
        self._settings = settings
        self._store = store
        self._http = adapter_http(settings, services.waits.heartbeat)
        history = ReportedOrders(services, settings) if keeps_orders(settings, store) else None
        self._composition = Composition(services, store, StartOfService(start, history))

    def close(self) -> None:
        """Close every journal and the connections to the exchange."""
        self._composition.close()
        self._http.close()

    def adapter(self, key_id: str) -> ExchangeAdapter:
        """The exchange, as the account ``key_id`` sees it."""
        return ExchangeAdapter(
            self._http,
            key_id,
            self._store.pause(key_id),
            self._services.reporter.read_failed,
            self._services.reporter.read_succeeded,
        )

    def orders(
        self,
        binding: Binding,
        allocation: Decimal | None = None,
        precision: int | None = None,
        stop_loss: Decimal | None = None,
    ) -> OrderService:
        """The order service for ``binding``; ``stop_loss`` [%] is the row's."""
        terms = OrderTerms(allocation, precision)
        guards = limits_of(self._settings, stop_loss)
        exchange = self.adapter(binding.key_id)
        return self._composition.order_service(binding, exchange, terms, guards)
