"""Assembles the parts of a bot's process."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.order_history import OrderHistory, PastOrder
from execsvc.clients.service_http import adapter_http, bot_service_http
from execsvc.execution.guards import Guards, limits_of
from execsvc.execution.order_service import OrderService
from execsvc.execution.order_sizes import OrderSizes
from execsvc.execution.ports import ExecutionSettings
from execsvc.execution.settlement.settlement import Settlement
from execsvc.execution.size_memory import SizeMemory
from execsvc.execution.venues.account import Account
from execsvc.execution.venues.adoption import Adoption
from execsvc.execution.venues.live import LiveVenue
from execsvc.execution.venues.paper import PaperVenue
from execsvc.execution.venues.restored import RestoredLedger
from execsvc.execution.venues.venue import Venue
from execsvc.model.bot import Binding, Mode
from execsvc.runner.services import BotServices
from execsvc.settings import Settings
from execsvc.store.account_store import AccountStore
from execsvc.store.reports import keeps_orders
from execsvc.store.store import Store


def execution_settings(settings: Settings) -> ExecutionSettings:
    """The part of ``settings`` that orders depend on."""
    return ExecutionSettings(
        settings.order_timeout,
        settings.settlement_window,
        settings.gone_after,
        settings.liquidation_attempts,
        settings.liquidation_backoff,
    )


class Assembly:
    """The parts of one bot's process, made for a binding on demand."""

    def __init__(
        self, services: BotServices, settings: Settings, store: Store, start: str = ""
    ) -> None:
        self._services = services
        self._settings = settings
        self._store = store
        self._start = start
        self._http = adapter_http(settings, services.waits.pulse)
        self._journals: list[AccountStore] = []
        self._memory = SizeMemory(services.ledger, services.record)

    def close(self) -> None:
        """Close every journal and the connections to the exchange."""
        for journal in self._journals:
            journal.close()
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
        allocation: Decimal | None,
        precision: int | None,
        stop_loss: Decimal | None = None,
    ) -> OrderService:
        """The order service for ``binding``; ``stop_loss`` [%] is the row's."""
        services, limits = self._services, limits_of(self._settings, stop_loss)
        return OrderService(
            services,
            binding,
            self._venue(binding, allocation),
            OrderSizes(self._memory, binding, precision),
            Guards(limits, services.ledger, binding, services.record, services.reporter),
            allocation,
        )

    def _venue(self, binding: Binding, allocation: Decimal | None) -> Venue:
        adapter = self.adapter(binding.key_id)
        if binding.mode is Mode.PAPER:
            return PaperVenue(self._services, binding, adapter, allocation)
        journal = self._store.account(binding.key_id)
        self._journals.append(journal)
        pause = self._store.pause(binding.key_id)
        account = Account(self._services, adapter, journal, pause)
        return LiveVenue(
            self._services,
            binding,
            account,
            Settlement(self._services, account),
            Adoption(self._services, binding, journal, self._memory),
            self._restored(binding, account),
        )

    def _restored(self, binding: Binding, account: Account) -> RestoredLedger:
        return RestoredLedger(
            self._services,
            binding,
            account,
            self._start,
            self._newest_reported if keeps_orders(self._settings, self._store) else None,
        )

    def _newest_reported(self) -> PastOrder | None:
        """The bot's newest order by BotService. Raises Unavailable."""
        http = bot_service_http(self._settings, self._services.waits.pulse)
        with closing(http):
            return OrderHistory(http).newest(self._services.bot_id)
