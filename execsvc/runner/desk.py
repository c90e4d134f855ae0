"""The one way an order is placed: sized, rounded, checked, sent to the venue, booked."""

from __future__ import annotations

from decimal import Decimal

from execsvc.clock import now
from execsvc.errors import LedgerFailed, NotionalRefused, OrderRefused, StepRefused
from execsvc.ledger import results
from execsvc.ledger.bot_ledger import BotLedger
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, Limits, plain
from execsvc.model.order import Fill, Side
from execsvc.model.position import Position
from execsvc.runner.gone import GoneCoins
from execsvc.runner.guards import Guards
from execsvc.runner.quantity_step import QuantityStep
from execsvc.runner.record import Record
from execsvc.runner.report import shown
from execsvc.runner.reporter import Reporter
from execsvc.runner.sizing import buy_amount, is_dust, sell_amount
from execsvc.runner.venue import Funds, Size, Venue

_SURELY_NO_DUST = 10


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
        precision: int | None,
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
        self.step = QuantityStep(ledger, binding, record, precision)
        self._price: Decimal | None = None

    @property
    def position(self) -> Position:
        """What the bot holds, by its ledger."""
        return self._ledger.position(self.binding)

    def refresh(self) -> None:
        """Carry out what an operator has said since; called once a tick, so it is cheap.

        Raises Unavailable when the balance that it takes cannot be read.
        """
        self.venue.refresh()
        if self.venue.release_asked():
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
        self.refuse_if_blocked()
        self.guards.admit()

        def size(funds: Funds) -> Decimal:
            assert funds.price is not None, "a buy has a ticker"
            self._gone.clear_if_held(self.position, funds.total_base)
            sized = self._entry_amount(amount, funds.price, funds)
            self.guards.admit_order(sized, funds.price, funds.priced_at)
            return sized

        return self.place(Side.BUY, size, reason, state=state)

    def _entry_amount(self, amount: Decimal, price: Decimal, funds: Funds) -> Decimal:
        """What of ``amount`` may be bought. Raises OrderRefused that says what leaves too little."""
        try:
            return buy_amount(
                amount,
                price,
                funds.free_quote,
                self.allocation,
                self.position,
                self.step.of_strategy(funds.limits),
                funds.limits,
            )
        except OrderRefused as refusal:
            if not funds.reserved_quote:
                raise
            raise OrderRefused(
                f"{refusal}; {plain(funds.reserved_quote)} {self.binding.quote} of the free balance are "
                f"positions of bots of this account, and are not spent"
            ) from None

    def sell(self, amount: Decimal, reason: str, state: str | None, exits: bool = False) -> Fill:
        """Sell up to ``amount`` base of the bot's own, never more than it tracks.

        Raises OrderRefused when nothing was sold, also because what is left is dust; that
        is then written down.
        """

        def size(funds: Funds) -> Decimal:
            position = self._observed(funds.total_base)
            self._refuse_dust(position, funds)
            decimals = self.step.of_strategy(funds.limits)
            sized = sell_amount(amount, funds.free_base, position.tracked, decimals)
            whole = exits or amount >= position.tracked
            if whole and funds.limits.refuses(sized, funds.price):
                # The strategy's own precision is for its orders; it must not strand a position.
                decimals = self.step.of_exchange(funds.limits)
                sized = sell_amount(amount, funds.free_base, position.tracked, decimals)
            if funds.limits.refuses(sized, funds.price):
                raise OrderRefused(
                    f"a sell of {plain(sized)} is below the minimum (asked: {plain(amount)}, "
                    f"tracked: {plain(position.tracked)}, free: {plain(funds.free_base)})"
                )
            return sized

        return self.place(Side.SELL, size, reason, exits, state)

    def _observed(self, held: Decimal | None) -> Position:
        """The position once what is missing of it was compared to ``held`` of the account.

        Unchanged while ``held`` is None: coins that may be locked are not missing.
        """
        if held is None:
            return self.position
        asked = self.venue.release_asked()
        position = self._gone.observe(self.position, held, asked)
        if asked:
            self.venue.release_done()
        return position

    def place(
        self,
        side: Side,
        size: Size,
        reason: str,
        exits: bool = False,
        state: str | None = None,
        short: bool = False,
    ) -> Fill:
        """Place an order, with ever fewer decimals while the exchange refuses its step."""
        sized: list[tuple[Decimal, Limits]] = []

        def remembered(funds: Funds) -> Decimal:
            self._price = funds.price
            sized.append((size(funds), funds.limits))
            return sized[-1][0]

        while True:
            try:
                order = self.venue.execute(side, remembered, reason, exits, state, short)
            except StepRefused:
                if not sized or not self.step.refused(*sized[-1]):
                    raise
                continue
            except NotionalRefused:
                if side is Side.SELL and sized and not short:
                    self._dust_if_whole(sized[-1][0], sized[-1][1])
                raise
            finally:
                self.show_position()
            if order.fill.filled == 0:
                raise OrderRefused(order.detail or "nothing was filled")
            self.step.taken()
            if side is Side.SELL and not short:
                self._write_off_rest(sized[-1][1])
            return order.fill

    def _refuse_dust(self, position: Position, funds: Funds) -> None:
        learnt, proven = self.step.learnt()
        if position.tracked == 0:
            raise OrderRefused("nothing is tracked")
        if is_dust(position.tracked, funds.limits, funds.price, learnt, proven):
            self._write_off(position)
            raise OrderRefused(f"what is tracked is dust: {plain(position.tracked)}")

    def _write_off_rest(self, limits: Limits) -> None:
        """What rounding left behind after a sell is dust, if it is too little to be sold."""
        position = self.position
        learnt, proven = self.step.learnt()
        if position.tracked > 0 and is_dust(position.tracked, limits, self._price, learnt, proven):
            self._write_off(position)

    def _dust_if_whole(self, amount: Decimal, limits: Limits) -> None:
        """A refusal for NOTIONAL makes dust of a position that was to be sold as a whole.

        Exchanges name a maximum alike; a position worth many times the minimum is no dust.
        """
        position = self.position
        worth = ZERO if self._price is None else amount * self._price
        if limits.min_notional and worth > _SURELY_NO_DUST * limits.min_notional:
            return
        whole = sell_amount(
            position.tracked, position.tracked, position.tracked, self.step.of_exchange(limits)
        )
        if amount == whole:
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
