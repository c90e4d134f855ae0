"""Puts together what a bot's process works with."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient
from execsvc.clients.order_history import OrderHistory, PastOrder
from execsvc.execution.order_sizes import OrderSizes
from execsvc.execution.size_memory import SizeMemory
from execsvc.ledger.account_journal import AccountJournal
from execsvc.ledger.account_pause import AccountPause
from execsvc.ledger.bot_ledger import BotLedger
from execsvc.ledger.report_verdict import keeps_orders
from execsvc.model.bot import Binding, Mode
from execsvc.runner.account import Account
from execsvc.runner.desk import OrderDesk
from execsvc.runner.gone import GoneCoins
from execsvc.runner.guards import Guards, limits_of
from execsvc.runner.liquidation import Liquidation
from execsvc.runner.live import LiveVenue
from execsvc.runner.on_paper import PaperVenue
from execsvc.runner.record import Record
from execsvc.runner.reporter import Reporter
from execsvc.runner.restored import RestoredLedger
from execsvc.runner.settlement import Settlement
from execsvc.runner.venue import Venue
from execsvc.runner.waits import Waits
from execsvc.settings import Settings


class Assembly:
    """The parts of one bot's process, made for a binding on demand."""

    def __init__(
        self,
        bot_id: str,
        settings: Settings,
        ledger: BotLedger,
        record: Record,
        reporter: Reporter,
        waits: Waits,
        start: str = "",
    ) -> None:
        self._start = start
        self._bot_id = bot_id
        self._settings = settings
        self._ledger = ledger
        self._record = record
        self._reporter = reporter
        self._waits = waits
        token = settings.exchange_adapter_token
        self._http = HttpClient(
            settings.exchange_adapter_url,
            None if token is None else token.get_secret_value(),
            settings.request_timeout,
            waits.pulse,
        )
        self._journals: list[AccountJournal] = []
        self._memory = SizeMemory(ledger, record)

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
            AccountPause(self._settings.state_dir, key_id),
            self._reporter.read_failed,
            self._reporter.read_succeeded,
        )

    def desk(
        self,
        binding: Binding,
        allocation: Decimal | None,
        precision: int | None,
        stop_loss: Decimal | None = None,
    ) -> OrderDesk:
        """The desk that trades under ``binding``; ``stop_loss`` [%] is the row's."""
        limits = limits_of(self._settings, stop_loss)
        gone = GoneCoins(self._ledger, binding, self._record, self._settings.gone_after)
        return OrderDesk(
            binding,
            self._ledger,
            self._venue(binding, allocation),
            gone,
            self._record,
            self._reporter,
            allocation,
            OrderSizes(self._memory, binding, precision),
            Guards(limits, self._ledger, binding, self._record, self._reporter),
        )

    def liquidation(self, desk: OrderDesk) -> Liquidation:
        """The zero position policy for what ``desk`` holds."""
        return Liquidation(
            desk,
            self._ledger,
            self._record,
            self._reporter,
            self._waits,
            self._settings.liquidation_attempts,
            self._settings.liquidation_backoff,
        )

    def _venue(self, binding: Binding, allocation: Decimal | None) -> Venue:
        adapter = self.adapter(binding.key_id)
        if binding.mode is Mode.PAPER:
            return PaperVenue(
                self._bot_id,
                binding,
                self._ledger,
                adapter,
                self._record,
                self._reporter.counts,
                allocation,
            )
        account = self._account(adapter, binding.key_id)
        settlement = Settlement(
            account,
            self._waits,
            self._reporter,
            self._record,
            self._settings.settlement_window,
            self._settings.order_timeout,
        )
        return LiveVenue(
            self._bot_id,
            binding,
            self._ledger,
            account,
            settlement,
            self._record,
            self._reporter,
            self._waits,
            self._settings.order_timeout,
            self._memory,
            self._restored(binding, account),
        )

    def _restored(self, binding: Binding, account: Account) -> RestoredLedger:
        return RestoredLedger(
            self._bot_id,
            binding,
            self._ledger,
            account,
            self._record,
            self._reporter,
            self._settings.state_dir,
            self._start,
            self._newest_told if keeps_orders(self._settings) else None,
        )

    def _newest_told(self) -> PastOrder | None:
        """The bot's newest order by BotService. Raises Unavailable."""
        token = self._settings.bot_service_token
        http = HttpClient(
            self._settings.bot_service_url,
            None if token is None else token.get_secret_value(),
            self._settings.request_timeout,
            self._waits.pulse,
        )
        with closing(http):
            return OrderHistory(http).newest(self._bot_id)

    def _account(self, adapter: ExchangeAdapter, key_id: str) -> Account:
        journal = AccountJournal(self._settings.state_dir, key_id)
        self._journals.append(journal)
        return Account(
            adapter,
            journal,
            AccountPause(self._settings.state_dir, key_id),
            self._waits,
            self._reporter,
            self._settings.settlement_window,
        )
