"""Orders on the exchange: DESIGN's way of an order, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from execsvc.errors import LedgerFailed, OrderRefused
from execsvc.execution.funds import Funds
from execsvc.execution.venues.live_turn import LiveBot, LiveTurn
from execsvc.execution.venues.order_market import MarketTerms, OrderMarket
from execsvc.execution.venues.restored import RestoredLedger
from execsvc.failpoints import Failpoint, hit
from execsvc.model.balance import Balance
from execsvc.model.market import ZERO, Symbol, exact_sum
from execsvc.model.order import OrderRequest, Purpose, Side


class LiveVenue:
    """Places one order at a time on the bot's account, and books its outcome."""

    def __init__(
        self, bot: LiveBot, market: OrderMarket, restored: RestoredLedger | None = None
    ) -> None:
        self._bot = bot
        self._services = bot.services
        self._binding = bot.binding
        self._account = bot.account
        self._settlement = bot.settlement
        self._adoption = bot.adoption
        self._market = market
        self._assets = Symbol.parse(bot.binding.symbol)
        self._restored = restored

    @contextmanager
    def turn(self, request: OrderRequest) -> Iterator[LiveTurn]:
        """Hold the account's turn: every open order of the account is settled first, a baseline is
        read, then the best price for an entry that could reach its allocation.
        """
        purpose = request.purpose
        with self._account.adapter.calls_for(purpose):
            terms = self._market.terms(purpose.side)
            if self._restored is not None:
                self._restored.ask_bot_service(purpose)
            with self._account.turn(purpose):
                hit(Failpoint.TURN_TAKEN)
                self._settle_open_order(purpose)
                self._adoption.adopt(request.strategy_state)
                if self._restored is not None:
                    self._restored.refuse_contested(purpose)
                balance = self._account.balance(self._assets, purpose)
                funds = self._funds(balance, terms, purpose)
                funds = self._market.with_best_price(funds, request)
                yield LiveTurn(self._bot, request, balance, funds)

    def balance(self) -> Balance:
        """The balance of the account. Raises Unavailable."""
        return self._account.adapter.balance(*self._assets)

    def owned_base(self) -> Decimal:
        """Base that is free and tracked by no bot of the account. Raises Unavailable, OrderRefused."""
        free = self.balance().free(self._binding.base)
        return max(exact_sum(free, -self._tracked_by_all()), ZERO)

    def entries_blocked(self) -> str | None:
        """The reason to block entries: a contested order or position, until an operator has decided
        it.
        """
        contested = self._adoption.count_contested()
        if not contested:
            return self._restored.blocked() if self._restored is not None else None
        return f"order {contested[0].intent.client_order_id} is contested (execsvc settle)"

    def recover(self, purpose: Purpose) -> None:
        """Settle an order of this bot that an earlier process left open; book what is settled."""
        row = self._account.journal.unsettled()
        if row is not None and row.intent.bot_id == self._services.bot_id:
            turn = self._account.turn_after_ban(purpose)
            with self._account.adapter.calls_for(purpose), turn:
                self._settle_open_order(purpose)
        self._adoption.adopt(None)
        self._adoption.count_contested()
        if self._restored is not None:
            self._restored.show_record()

    def refresh(self) -> bool:
        """Book what an operator has decided since; after a start, compare ledger and account first.

        True when something was booked. Raises Unavailable while the account cannot be compared.
        """
        if self._restored is not None:
            self._compare(self._restored)
        before = self._adoption.contested
        if before:
            self._adoption.adopt(None)
            self._adoption.count_contested()
        return self._adoption.contested != before

    def _compare(self, restored: RestoredLedger) -> None:
        restored.skip_if_flat()
        if not restored.is_checked:
            restored.ask_bot_service(Purpose.ENTRY)
            with self._account.turn(Purpose.ENTRY):
                self._settle_open_order(Purpose.ENTRY)
                self._adoption.adopt(None)
                restored.check(Purpose.ENTRY)
        restored.refresh()

    def held(self) -> Decimal | None:
        """Free and locked base of the account, with nothing unsettled on it.

        None while the service does not say what is locked. Raises Unavailable.
        """
        with self._account.turn(Purpose.EXIT):
            self._settle_open_order(Purpose.EXIT)
            self._adoption.adopt(None)
            balance = self._account.balance(self._assets, Purpose.EXIT)
        return balance.holding(self._binding.base).total

    def fees_in_base(self, since: datetime | None) -> Decimal:
        """Base units that orders of other markets have paid as fees ``since``; zero when that is None.

        Zero also while the journal cannot say: it must not hold up an exit.
        """
        if since is None:
            return ZERO
        try:
            return self._account.journal.fees_paid(self._binding.base, since)
        except LedgerFailed:
            return ZERO

    def forget_expected(self) -> None:
        """Forget the expected balance: coins were booked as gone, so what the account should hold
        is unknown.
        """
        self._account.journal.forget_expected(self._binding.symbol)

    def release_asked(self) -> bool:
        """True while an operator's confirmation that missing coins are gone waits to be carried
        out.
        """
        return self._account.journal.release_asked(self._services.bot_id)

    def release_done(self) -> None:
        """Record that the release was carried out."""
        self._account.journal.release_done(self._services.bot_id)

    def _settle_open_order(self, purpose: Purpose) -> None:
        row = self._account.journal.unsettled()
        if row is not None:
            self._settlement.settle(row, purpose)

    def _funds(self, balance: Balance, terms: MarketTerms, purpose: Purpose) -> Funds:
        base = balance.holding(self._assets.base)
        reserved = self._not_to_be_spent() if purpose.side is Side.BUY else ZERO
        return Funds(
            symbol=self._assets,
            free_base=base.free,
            total_base=base.total,
            free_quote=max(exact_sum(balance.free(self._assets.quote), -reserved), ZERO),
            reserved_quote=reserved,
            tracked_base=self._tracked_by_all() if purpose is Purpose.SHORT_ENTRY else ZERO,
            price=terms.price,
            limits=terms.limits,
            priced_at=terms.asked_at,
            known=self._market.known_sizes(terms.price),
        )

    def _tracked_by_all(self) -> Decimal:
        """The base that all bots of the account track, by their ledgers."""
        try:
            return self._account.journal.tracked_by_all(self._binding.base)
        except LedgerFailed as fault:
            # A fault of another bot's ledger must not end this bot, which then only may not sell.
            raise OrderRefused(
                f"the user's own {self._binding.base} is unknown: {fault}"
            ) from fault

    def _not_to_be_spent(self) -> Decimal:
        """The part of the free quote that is the position of some bot of this account."""
        try:
            return self._account.journal.not_to_be_spent(self._binding.quote)
        except LedgerFailed as fault:
            raise OrderRefused(
                f"the {self._binding.quote} that other bots of the account hold is unknown: {fault}"
            ) from fault
