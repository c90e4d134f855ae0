"""Books in the bot's own ledger what the account's journal has settled of its orders."""

from __future__ import annotations

from execsvc.execution.ports import Services
from execsvc.execution.sizes.size_memory import SizeMemory
from execsvc.model.bot import Binding
from execsvc.store.account_store import AccountStore
from execsvc.store.orders import JournalRow


class Adoption:
    """Adopts the outcomes of one bot's orders on one account."""

    def __init__(
        self,
        services: Services,
        binding: Binding,
        journal: AccountStore,
        memory: SizeMemory,
    ) -> None:
        self._services = services
        self._binding = binding
        self._journal = journal
        self._memory = memory
        self.contested = 0
        """Orders that waited for an operator's decision when they were counted last."""

    def adopt(self, state: str | None) -> None:
        """Book each outcome once, with the strategy's ``state``. Raises LedgerFailed."""
        services = self._services
        for row in self._journal.to_adopt(services.bot_id):
            order = row.order()
            binding = self._binding.model_copy(update={"symbol": order.symbol})
            again = services.ledger.is_booked(order.client_order_id)
            services.ledger.book(binding, order, state)
            self._memory.learn(row)
            self._journal.adopted(order.client_order_id)
            services.record.outcome(order)
            if not again:
                services.reporter.counts.order(binding.mode, order)

    def count_contested(self) -> list[JournalRow]:
        """The bot's orders that wait for an operator's decision; reports how many there are."""
        contested = self._journal.contested(self._services.bot_id)
        self.contested = len(contested)
        reported = self._services.ledger.reported
        self._services.reporter.update(contested=self.contested, reported=reported)
        return contested
