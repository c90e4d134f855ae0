"""Composition of the way of an order: one bot's services, the store and an exchange, as an OrderService.

Live, on paper, in a replay and in tests: each makes its services and its exchange, and calls this.
"""

from __future__ import annotations

from execsvc.execution.account import Account
from execsvc.execution.exchange import Exchange
from execsvc.execution.guards import NO_LIMITS, GuardLimits, Guards
from execsvc.execution.order_service import OrderService
from execsvc.execution.ports import Services
from execsvc.execution.settlement.settlement import Settlement
from execsvc.execution.sizes.size_memory import SizeMemory
from execsvc.execution.sizing import OrderTerms
from execsvc.execution.venues.adoption import Adoption
from execsvc.execution.venues.live import LiveVenue
from execsvc.execution.venues.live_turn import LiveBot
from execsvc.execution.venues.order_market import OrderMarket
from execsvc.execution.venues.paper import PaperVenue
from execsvc.execution.venues.restore_signs import StartOfService
from execsvc.execution.venues.restored import RestoredLedger
from execsvc.execution.venues.venue import Venue
from execsvc.model.bot import Binding, Mode
from execsvc.store.account_store import AccountStore
from execsvc.store.store import BotRecordsStore

NO_TERMS = OrderTerms()


class Composition:
    """Makes the order services of one bot, each for one binding.

    ``start`` is the start of the service for which ledger and account are compared; None: no
    comparison.
    """

    def __init__(
        self, services: Services, store: BotRecordsStore, start: StartOfService | None = None
    ) -> None:
        self._services = services
        self._store = store
        self._start = start
        self._journals: list[AccountStore] = []
        self._sizes = SizeMemory(services.ledger, services.record)

    def close(self) -> None:
        """Close every journal that was opened."""
        for journal in self._journals:
            journal.close()

    def order_service(
        self,
        binding: Binding,
        exchange: Exchange,
        terms: OrderTerms = NO_TERMS,
        guards: GuardLimits = NO_LIMITS,
    ) -> OrderService:
        """The order service for ``binding``; ``exchange`` is its account's."""
        services, allocation = self._services, terms.allocation
        market = OrderMarket(exchange, services.ledger, binding, self._sizes, allocation)
        if binding.mode is Mode.PAPER:
            venue: Venue = PaperVenue(services, binding, market, allocation)
        else:
            venue = self._live(binding, exchange, market)
        limited = Guards(services, binding, guards)
        return OrderService(services, binding, venue, self._sizes, limited, terms)

    def _live(self, binding: Binding, exchange: Exchange, market: OrderMarket) -> LiveVenue:
        services, start = self._services, self._start
        journal = self._store.account(binding.key_id)
        self._journals.append(journal)
        account = Account(services, exchange, journal, self._store.pause(binding.key_id))
        bot = LiveBot(
            services,
            binding,
            account,
            Settlement(services, account),
            Adoption(services, binding, journal, self._sizes),
        )
        restored = None if start is None else RestoredLedger(services, binding, account, start)
        return LiveVenue(bot, market, restored)
