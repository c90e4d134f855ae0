"""Orders of a PAPER bot: filled on the real book, out of a virtual balance in its ledger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clock import now
from execsvc.errors import OrderRefused
from execsvc.execution.market_terms import best_price, market_terms
from execsvc.ledger.booking import book
from execsvc.ledger.bot_ledger import BotLedger
from execsvc.ledger.rows import OrderRow
from execsvc.model.balance import Balance, Holding
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO
from execsvc.model.order import OrderState, Side, new_client_order_id
from execsvc.paper.terms import Terms
from execsvc.paper.trading import trade
from execsvc.runner.counts import Counts
from execsvc.runner.record import Record
from execsvc.runner.venue import Funds, Size

STARTING_QUOTE = Decimal(10_000)
"""Virtual quote of a PAPER bot without an ``account_allocation``."""
BOOK_LEVELS = 200


class PaperVenue:
    """Fills orders without ever sending one."""

    def __init__(
        self,
        bot_id: str,
        binding: Binding,
        ledger: BotLedger,
        adapter: ExchangeAdapter,
        record: Record,
        counts: Counts,
        allocation: Decimal | None,
    ) -> None:
        self._bot_id = bot_id
        self._binding = binding
        self._ledger = ledger
        self._adapter = adapter
        self._record = record
        self._counts = counts
        self._starting_quote = STARTING_QUOTE if allocation is None else allocation

    def execute(
        self,
        side: Side,
        size: Size,
        reason: str,
        exits: bool,
        state: str | None,
        short: bool = False,
    ) -> OrderRow:
        """Fill one market order on the book as it is now, and book it."""
        with self._adapter.exiting((side is Side.SELL) is not short):
            terms = market_terms(self._adapter, self._ledger, self._binding, side)
            depth = self._adapter.depth(self._binding.symbol, BOOK_LEVELS)
        base, quote = self._balances()
        amount = size(Funds(base, base, quote, *terms))
        began = now()
        traded = trade(depth, Terms(limits=terms.limits), base, quote, side, amount)
        if traded.fill.filled == 0:
            raise OrderRefused("nothing was filled")
        order = OrderRow(
            client_order_id=new_client_order_id(),
            bot_id=self._bot_id,
            symbol=self._binding.symbol,
            side=side,
            amount=amount,
            reason=reason,
            state=OrderState.EXECUTED,
            fill=traded.fill,
            created_at=began,
            settled_at=now(),
            detail="on paper",
            short=short,
        )
        book(self._ledger, self._binding, order, state, (traded.free_base, traded.free_quote))
        self._record.outcome(order)
        self._counts.order(self._binding.mode, order)
        return order

    def balance(self) -> Balance:
        """The virtual balance."""
        base, quote = self._balances()
        return Balance(
            assets=(
                Holding(asset=self._binding.base, free=base, locked=ZERO),
                Holding(asset=self._binding.quote, free=quote, locked=ZERO),
            )
        )

    def best_price(self, side: Side) -> Decimal:
        """Best ask for a buy, best bid for a sell. Raises Unavailable."""
        return best_price(self._adapter, self._binding.symbol, side)

    def tracked_by_all(self) -> Decimal:
        """What this bot tracks: its virtual balance is its own."""
        return self._ledger.position(self._binding).tracked

    def entries_blocked(self) -> str | None:
        """Nothing blocks an entry on paper."""
        return None

    def recover(self, exits: bool) -> None:
        """An order on paper is booked in one transaction: there is nothing to recover."""

    def refresh(self) -> bool:
        """No order on paper is ever contested."""
        return False

    def held(self) -> Decimal:
        """Virtual base."""
        return self._balances()[0]

    def fees_in_base(self, since: datetime | None) -> Decimal:
        """No other order touches a virtual balance."""
        return ZERO

    def forget_expected(self) -> None:
        """Coins on paper do not go missing."""

    def release_asked(self) -> bool:
        """Coins on paper do not go missing."""
        return False

    def release_done(self) -> None:
        """Nothing is ever asked."""

    def _balances(self) -> tuple[Decimal, Decimal]:
        kept = self._ledger.paper_balance(self._binding.key_id, self._binding.symbol)
        return (ZERO, self._starting_quote) if kept is None else kept
