"""The one way an order is placed: sized, checked, sent to the venue in as many parts as it takes, booked."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from execsvc.clock import now
from execsvc.errors import LedgerFailed, OrderRefused
from execsvc.execution.allocation import allowed, refuse_without_allocation
from execsvc.execution.known_sizes import Known
from execsvc.execution.next_amount import believed, is_dust
from execsvc.execution.order_sizes import OrderSizes, Sizing
from execsvc.execution.parts import Placed, in_parts
from execsvc.execution.sizing import affordable_amount, buy_amount, sell_amount
from execsvc.execution.way_out import refuse_without_way_out
from execsvc.ledger import entries, results
from execsvc.ledger.bot_ledger import BotLedger
from execsvc.model.bot import Binding
from execsvc.model.market import Limits, plain
from execsvc.model.order import Fill, Side
from execsvc.model.position import Position
from execsvc.runner.gone import GoneCoins
from execsvc.runner.guards import Guards
from execsvc.runner.record import Record
from execsvc.runner.report import shown
from execsvc.runner.reporter import Reporter
from execsvc.runner.venue import Funds, Venue

Size = Callable[[Funds, Sizing], Decimal]
"""How much to order, given the funds and what the market takes. Raises OrderRefused."""


class OrderDesk:
    """Buys and sells for one bot under one binding."""

    def __init__(
        self,
        binding: Binding,
        ledger: BotLedger,
        venue: Venue,
        gone: GoneCoins,
        record: Record,
        reporter: Reporter,
        allocation: Decimal | None,
        sizes: OrderSizes,
        guards: Guards,
    ) -> None:
        self.binding = binding
        self.venue = venue
        self._ledger = ledger
        self._gone = gone
        self._record = record
        self._reporter = reporter
        self.allocation = allocation
        self.guards = guards
        self.sizes = sizes

    @property
    def position(self) -> Position:
        """What the bot holds, by its ledger."""
        return self._ledger.position(self.binding)

    def refresh(self) -> None:
        """Carry out what an operator has said since; called once a tick, so it is cheap.

        Raises Unavailable when the balance that it takes cannot be read.
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
        """Let the supervisor know the position, and what was realised, as they are now."""
        try:
            result = results.read(self._ledger.connection, self.binding, results.utc_day(now()))
        except LedgerFailed:
            result = None  # what nobody can tell must not end an exit
        self._reporter.update(position=shown(self.position), result=result)

    def refuse_if_blocked(self) -> None:
        """Raise OrderRefused while an order waits for an operator's decision."""
        blocked = self.venue.entries_blocked()
        if blocked is not None:
            raise OrderRefused(blocked)

    def drop_short(self, why: str) -> None:
        """What is sold short is not bought back any more."""
        position = self.position
        self._ledger.keep_position(self.binding, position.without_short())
        text = (
            f"{plain(position.sold_short)} {self.binding.base} sold short is not bought back: {why}"
        )
        self._record.say("WARNING", "short_dropped", text)
        self._reporter.update(last_error=text)
        self.show_position()

    def buy(self, amount: Decimal, reason: str, state: str | None) -> Fill:
        """Buy up to ``amount`` base. Raises OrderRefused when nothing was bought."""
        refuse_without_allocation(self.allocation)
        self.refuse_if_blocked()
        self.guards.admit()

        def size(funds: Funds, sizing: Sizing) -> Decimal:
            assert funds.price is not None, "a buy has a ticker"
            self._gone.clear_if_held(self.position, funds.total_base)
            known = self.sizes.known(funds.price)
            wanted = self._entry_amount(amount, funds.price, funds, known)
            decimals = self.sizes.of_strategy(funds.limits)
            sized = sizing.amount(wanted, decimals, funds.limits, funds.price)
            refuse_without_way_out(
                sized, self.position.tracked, self._fee_rate(), funds.limits, funds.price, known
            )
            self.guards.admit_order(sized, funds.price, funds.priced_at)
            return sized

        return self.place(Side.BUY, size, reason, state=state).fill

    def _entry_amount(self, amount: Decimal, price: Decimal, funds: Funds, known: Known) -> Decimal:
        """What of ``amount`` may be bought. Raises OrderRefused that says what leaves too little."""
        free_quote = believed(funds.free_quote, Side.BUY, known)
        possible = min(amount, affordable_amount(free_quote, price))
        try:
            return buy_amount(
                amount,
                price,
                free_quote,
                self.allowed(possible, self.position.tracked, Side.BUY, price),
                self.sizes.of_strategy(funds.limits),
                funds.limits,
            )
        except OrderRefused as refusal:
            if not funds.reserved_quote:
                raise
            raise OrderRefused(
                f"{refusal}; {plain(funds.reserved_quote)} {self.binding.quote} of the free balance are "
                f"positions of bots of this account, and are not spent"
            ) from None

    def allowed(
        self, wanted: Decimal, held: Decimal, side: Side, ticker: Decimal
    ) -> Decimal | None:
        """Base units that the allocation allows beside ``held``; None where there is no cap.

        The allocation is judged at the price at which an entry on ``side`` trades, at the
        ``ticker`` when the book cannot be read.
        """
        return allowed(wanted, held, self.allocation, ticker, lambda: self.venue.best_price(side))

    def sell(self, amount: Decimal, reason: str, state: str | None, exits: bool = False) -> Fill:
        """Sell up to ``amount`` base of the bot's own, never more than it tracks.

        An amount that is too large for one order is sold in parts. Raises OrderRefused when nothing
        was sold, also because what is left is dust; that is then written down.
        """
        self._ledger.make_room()
        return in_parts(amount, lambda left: self._sell_part(left, reason, state, exits))

    def _sell_part(self, amount: Decimal, reason: str, state: str | None, exits: bool) -> Placed:
        def size(funds: Funds, sizing: Sizing) -> Decimal:
            position = self._observed(funds.total_base)
            limits, tracked = funds.limits, position.tracked
            self._refuse_dust(position, limits, funds.price)
            free = believed(funds.free_base, Side.SELL, self.sizes.known(funds.price))
            decimals = self.sizes.of_strategy(limits)
            wanted = sell_amount(amount, free, tracked, decimals)
            whole = exits or amount >= tracked
            if whole and limits.refuses(wanted, funds.price):
                # The strategy's own precision is for its orders; it must not strand a position.
                decimals = limits.decimals
                wanted = sell_amount(amount, free, tracked, decimals)
            if limits.refuses(wanted, funds.price):
                raise OrderRefused(
                    f"a sell of {plain(wanted)} is below the minimum (asked: {plain(amount)}, "
                    f"tracked: {plain(tracked)}, free: {plain(funds.free_base)})"
                )
            all_of_it = tracked if whole else None
            return sizing.amount(wanted, decimals, limits, funds.price, all_of_it)

        return self.place(Side.SELL, size, reason, exits, state)

    def _fee_rate(self) -> Decimal | None:
        """The part of the last buy that its fee in base took, None where nothing tells."""
        return entries.fee_rate(self._ledger.connection, self.binding)

    def _observed(self, held: Decimal | None) -> Position:
        """The position once what is missing of it was compared to ``held`` of the account.

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
        """Carry out an operator's release, but for missing coins: whoever read the balance did."""
        self.sizes.forget()
        self.guards.begin_anew()
        self.venue.release_done()

    def place(
        self,
        side: Side,
        size: Size,
        reason: str,
        exits: bool = False,
        state: str | None = None,
        short: bool = False,
    ) -> Placed:
        """Place an order, with another amount while the exchange refuses it for its size.

        Raises OrderRefused when nothing was filled.
        """
        opens = (side is Side.BUY) is not short
        sizing = Sizing(self.sizes, opens)
        while True:
            try:
                order = self.venue.execute(
                    side, lambda funds: size(funds, sizing), reason, exits, state, short
                )
            finally:
                self.show_position()
            if side is Side.SELL and not short:
                self._write_off_rest(sizing.limits, sizing.price)
            if order.fill.filled > 0:
                return Placed(order.fill, order.amount, sizing.wanted)
            goes_on = sizing.goes_on(order)
            if opens:
                self.guards.entry_unfilled(order.detail, is_over=not goes_on)
            if not goes_on:
                raise OrderRefused(order.detail or "nothing was filled")

    def _refuse_dust(self, position: Position, limits: Limits, price: Decimal | None) -> None:
        if position.tracked == 0:
            raise OrderRefused("nothing is tracked")
        if is_dust(position.tracked, limits, price, self.sizes.known(price)):
            self._write_off(position)
            raise OrderRefused(f"what is tracked is dust: {plain(position.tracked)}")

    def _write_off_rest(self, limits: Limits, price: Decimal | None) -> None:
        """What a sell left, or was refused as a whole, is dust if it is too little to be sold."""
        position, known = self.position, self.sizes.known(price)
        if position.tracked > 0 and is_dust(position.tracked, limits, price, known):
            self._write_off(position)

    def _write_off(self, position: Position) -> None:
        if not position.dust:
            self._ledger.keep_position(self.binding, position.model_copy(update={"dust": True}))
            self._record.say(
                "DEBUG",
                "position_dust",
                f"{plain(position.tracked)} {self.binding.base} is dust: too little to be sold, "
                f"kept for the next position",
                tracked=plain(position.tracked),
            )
            self.show_position()
