"""The one way an order is placed: admitted, sized, submitted in as many parts as it takes, booked."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.clock import now
from execsvc.errors import LedgerFailed, OrderRefused, Unavailable
from execsvc.execution.funds import Funds
from execsvc.execution.gone import GoneCoins
from execsvc.execution.guards import Guards
from execsvc.execution.parts import Parts, Placed
from execsvc.execution.ports import Services
from execsvc.execution.sizes.next_amount import is_dust
from execsvc.execution.sizes.size_memory import SizeMemory, is_of_size
from execsvc.execution.sizing import (
    OrderTerms,
    RefusedSize,
    Sized,
    UnpaidBuyBack,
    refuse_unsellable_entry,
    size,
)
from execsvc.execution.venues.venue import Venue
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, plain
from execsvc.model.order import Fill, OrderRequest, Purpose
from execsvc.model.position import Position
from execsvc.model.result import utc_day
from execsvc.store.orders import OrderRow


class _Booked(NamedTuple):
    """An order with its outcome, which is booked, and what its quantity was found by."""

    order: OrderRow
    sized: Sized
    funds: Funds


class OrderService:
    """Buys and sells for one bot under one binding."""

    def __init__(
        self,
        services: Services,
        binding: Binding,
        venue: Venue,
        sizes: SizeMemory,
        guards: Guards,
        terms: OrderTerms,
    ) -> None:
        self.binding = binding
        self.venue = venue
        self.sizes = sizes
        self.guards = guards
        self._terms = terms
        self._ledger = services.ledger
        self._record = services.record
        self._reporter = services.reporter
        self._gone = GoneCoins(services, binding)

    @property
    def position(self) -> Position:
        """The bot's position by its ledger."""
        return self._ledger.position(self.binding)

    def free_base(self) -> Decimal:
        """Base that is free and tracked by no bot. Raises Unavailable, OrderRefused."""
        return self.venue.owned_base()

    def place(self, request: OrderRequest) -> Fill:
        """Order what ``request`` asks for: an exit in parts, where it is too large for one order.

        Never sells more than is tracked, or what any bot tracks as the user's own; never buys back
        more than was sold. Dust that an exit leaves, and what a buy-back cannot be paid for, is
        written down. Raises OrderRefused when nothing was filled, Unavailable, LedgerFailed.
        """
        self._refuse_early(request.purpose)
        if request.purpose.opens:
            return self._place_part(request).fill
        parts = Parts(request.quantity)
        while parts.goes_on:
            try:
                parts.add(self._place_part(request._replace(quantity=parts.left)))
            except (OrderRefused, Unavailable):
                if parts.is_empty:
                    raise
                break  # the rest stays tracked; the parts before have been filled
        return parts.fill

    def _refuse_early(self, purpose: Purpose) -> None:
        """Raise OrderRefused for an order that needs no turn of its account to be refused."""
        if purpose is Purpose.SHORT_ENTRY and self.position.side is not None:
            raise OrderRefused("a position is open")
        if purpose.sells_tracked:
            self._ledger.make_room()
        else:
            self._refuse_if_blocked()
        if purpose.opens:
            self.guards.check_entry()

    def _refuse_if_blocked(self) -> None:
        """Raise OrderRefused while an order waits for an operator's decision."""
        blocked = self.venue.entries_blocked()
        if blocked is not None:
            raise OrderRefused(blocked)

    def _place_part(self, request: OrderRequest) -> Placed:
        """Place an order, with another amount while the exchange refuses it for its size.

        Raises OrderRefused when nothing was filled.
        """
        purpose = request.purpose
        refused: RefusedSize | None = None
        while True:
            try:
                order, sized, funds = self._place_order(request, refused)
            finally:
                self.show_position()
            if purpose.sells_tracked:
                self._write_off_rest(funds)
            if order.fill.filled > 0:
                if sized.rest_is_lost:
                    self._drop_unpaid_short(order)
                return Placed(order.fill, order.amount, sized.wanted)
            goes_on = is_of_size(order.detail)
            if purpose.opens:
                self.guards.entry_unfilled(order.detail, is_over=not goes_on)
            if not goes_on:
                raise OrderRefused(order.detail or "nothing was filled")
            refused = RefusedSize(sized.quantity, order.detail)

    def _place_order(self, request: OrderRequest, refused: RefusedSize | None) -> _Booked:
        """Place one order; ``refused`` is the one before of the same request, if any."""
        with self.venue.turn(request) as turn:
            funds = turn.funds
            position = self._position_within(request, funds)
            if request.purpose.sells_tracked:
                # A release is carried out by now, and has forgotten what was learnt.
                funds = funds._replace(known=self.sizes.known(self.binding, funds.price))
            try:
                sized = size(request, funds, position, self._terms, refused)
            except UnpaidBuyBack as refusal:
                self.drop_short(str(refusal))
                raise
            if request.purpose.opens:
                self._refuse_unsellable(request, sized.quantity, funds, position)
                self.guards.admit(sized.quantity, funds.price, funds.priced_at)
            return _Booked(turn.submit(sized.quantity), sized, funds)

    def _position_within(self, request: OrderRequest, funds: Funds) -> Position:
        """The position once the account's balance is compared with it; a difference is written down.

        Raises OrderRefused where nothing of it can be ordered.
        """
        if request.purpose.sells_tracked:
            position = self._observed(funds.total_base)
            self._refuse_dust(position, funds)
            return position
        position = self.position
        if request.purpose is Purpose.ENTRY:
            self._gone.clear_if_held(position, funds.total_base)
        return position

    def _refuse_unsellable(
        self, request: OrderRequest, quantity: Decimal, funds: Funds, position: Position
    ) -> None:
        """Raise OrderRefused for an entry whose position might be too small to be sold, or bought
        back.
        """
        assert funds.price is not None, "an entry without a price is refused"
        held: Decimal = ZERO
        fee_rate: Decimal | None = ZERO
        if not request.purpose.is_short:
            held, fee_rate = position.tracked, self._ledger.fee_rate(self.binding)
        refuse_unsellable_entry(quantity, held, fee_rate, funds.limits, funds.price, funds.known)

    def refresh(self) -> None:
        """Carry out an operator's decisions since the last call, once a tick or check, so it must
        be cheap.

        Raises Unavailable when a balance is needed and cannot be read.
        """
        if self.venue.refresh():
            self.show_position()
        if self.venue.release_asked():
            if self.position.side is None:
                self._release()  # nothing can be missing, so no balance is needed
            else:
                self._observed(self.venue.held())
            self.show_position()

    def show_position(self) -> None:
        """Report the present position and the realised result to the supervisor."""
        try:
            result = self._ledger.result(self.binding, utc_day(now()))
        except LedgerFailed:
            result = None  # a result that is unknown must not end an exit
        self._reporter.show_position(self.position, result=result)

    def drop_short(self, why: str) -> None:
        """Drop the short position: the base that was sold is not bought back any more."""
        position = self.position
        self._ledger.keep_position(self.binding, position.without_short())
        text = (
            f"{plain(position.sold_short)} {self.binding.base} sold short is not bought back: {why}"
        )
        self._record.log("WARNING", "short_dropped", text)
        self._reporter.update(last_error=text)
        self.show_position()

    def _drop_unpaid_short(self, order: OrderRow) -> None:
        if self.position.sold_short > 0 and order.fill.filled == order.amount:
            self.drop_short("the free quote pays for no more, or it is too little")

    def _observed(self, held: Decimal | None) -> Position:
        """The position once its missing part was compared to ``held`` of the account.

        Unchanged while ``held`` is None: coins that may be locked are not missing.
        """
        if held is None:
            return self.position
        asked = self.venue.release_asked()
        before = self.position
        fees = self.venue.fees_in_base(before.opened_at)
        position = self._gone.observe(before, held, asked, fees)
        if position != before:
            self.venue.forget_expected()
        if asked:
            self._release()
        return position

    def _release(self) -> None:
        """Carry out an operator's release, except for missing coins: the caller that read the
        balance did.
        """
        self.sizes.forget()
        self.guards.begin_anew(flat=self.position.side is None)
        self.venue.release_done()

    def _refuse_dust(self, position: Position, funds: Funds) -> None:
        if position.tracked == 0:
            raise OrderRefused("nothing is tracked")
        if self._is_dust(position, funds):
            self._write_off(position)
            raise OrderRefused(f"the tracked quantity is dust: {plain(position.tracked)}")

    def _write_off_rest(self, funds: Funds) -> None:
        """Write off as dust the rest of a sell, or a refused whole, that is too little to be sold."""
        position = self.position
        if position.tracked > 0 and self._is_dust(position, funds):
            self._write_off(position)

    def _is_dust(self, position: Position, funds: Funds) -> bool:
        known = self.sizes.known(self.binding, funds.price)
        return is_dust(position.tracked, funds.limits, funds.price, known)

    def _write_off(self, position: Position) -> None:
        if not position.dust:
            self._ledger.keep_position(self.binding, position.model_copy(update={"dust": True}))
            self._record.log(
                "DEBUG",
                "position_dust",
                f"{plain(position.tracked)} {self.binding.base} is dust: too little to be sold, "
                f"kept for the next position",
                tracked=plain(position.tracked),
            )
            self.show_position()
