"""Orders of a PAPER bot: filled on the real book, out of a virtual balance in its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from execsvc.clock import now
from execsvc.errors import OrderRefused
from execsvc.execution.funds import Funds
from execsvc.execution.ports import Services
from execsvc.execution.venues.order_market import OrderMarket
from execsvc.model.balance import Balance, Holding
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, Depth, Symbol, exact_sum
from execsvc.model.order import OrderRequest, OrderState, Purpose, new_client_order_id
from execsvc.paper.terms import Terms
from execsvc.paper.trading import MarketOrder, trade
from execsvc.store.orders import OrderRow

STARTING_QUOTE = Decimal(10_000)
"""Virtual quote of a PAPER bot without an ``account_allocation``."""


class PaperVenue:
    """Fills orders without ever sending one."""

    def __init__(
        self,
        services: Services,
        binding: Binding,
        market: OrderMarket,
        allocation: Decimal | None,
    ) -> None:
        self._services = services
        self._ledger = services.ledger
        self._binding = binding
        self._market = market
        self._assets = Symbol.parse(binding.symbol)
        self._starting_quote = STARTING_QUOTE if allocation is None else allocation

    @contextmanager
    def turn(self, request: OrderRequest) -> Iterator[PaperTurn]:
        """One order on the present book; no other party trades on a virtual balance."""
        purpose = request.purpose
        with self._market.calls_for(purpose):
            terms = self._market.terms(purpose.side)
            depth = self._market.book()
        base, quote = self._balances()
        tracked = self._ledger.position(self._binding).tracked
        funds = Funds(
            symbol=self._assets,
            free_base=base,
            total_base=base,
            free_quote=quote,
            price=terms.price,
            limits=terms.limits,
            priced_at=terms.asked_at,
            known=self._market.known_sizes(terms.price),
            tracked_base=tracked,
        )
        funds = self._market.with_best_price(funds, request)
        yield PaperTurn(self._services, self._binding, request, depth, funds)

    def balance(self) -> Balance:
        """The virtual balance."""
        base, quote = self._balances()
        return Balance(
            assets=(
                Holding(asset=self._binding.base, free=base, locked=ZERO),
                Holding(asset=self._binding.quote, free=quote, locked=ZERO),
            )
        )

    def owned_base(self) -> Decimal:
        """Virtual base that this bot does not track."""
        tracked = self._ledger.position(self._binding).tracked
        return max(exact_sum(self._balances()[0], -tracked), ZERO)

    def entries_blocked(self) -> str | None:
        """None: no entry is blocked on paper."""
        return None

    def recover(self, purpose: Purpose) -> None:
        """An order on paper is booked in one transaction: there is nothing to recover."""

    def refresh(self) -> bool:
        """No order on paper is ever contested."""
        return False

    def held(self) -> Decimal:
        """Virtual base."""
        return self._balances()[0]

    def fees_in_base(self, since: datetime | None) -> Decimal:
        """Zero: no other order touches a virtual balance."""
        return ZERO

    def forget_expected(self) -> None:
        """Do nothing: coins on paper do not go missing."""

    def release_asked(self) -> bool:
        """False: coins on paper do not go missing."""
        return False

    def release_done(self) -> None:
        """Do nothing: no release is ever asked for on paper."""

    def _balances(self) -> tuple[Decimal, Decimal]:
        kept = self._ledger.paper_balance(self._binding.key_id, self._binding.symbol)
        return (ZERO, self._starting_quote) if kept is None else kept


class PaperTurn:
    """One order on ``depth``, out of ``funds``."""

    def __init__(
        self,
        services: Services,
        binding: Binding,
        request: OrderRequest,
        depth: Depth,
        funds: Funds,
    ) -> None:
        self.funds = funds
        self._services = services
        self._binding = binding
        self._request = request
        self._depth = depth

    def submit(self, quantity: Decimal) -> OrderRow:
        """Fill a market order on the book, and book it. Raises OrderRefused."""
        purpose, funds = self._request.purpose, self.funds
        began = now()
        traded = trade(
            self._depth,
            Terms(limits=funds.limits),
            funds.free_base,
            funds.free_quote,
            MarketOrder(purpose.side, quantity),
        )
        if traded.fill.filled == 0:
            raise OrderRefused("nothing was filled")
        order = OrderRow(
            client_order_id=new_client_order_id(),
            bot_id=self._services.bot_id,
            symbol=self._binding.symbol,
            side=purpose.side,
            amount=quantity,
            reason=self._request.reason,
            state=OrderState.EXECUTED,
            fill=traded.fill,
            created_at=began,
            settled_at=now(),
            detail="on paper",
            short=purpose.is_short,
        )
        balances = traded.free_base, traded.free_quote
        state = self._request.strategy_state
        self._services.ledger.book(self._binding, order, state, balances)
        self._services.record.outcome(order)
        self._services.reporter.counts.order(self._binding.mode, order)
        return order
