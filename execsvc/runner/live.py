"""Orders on the exchange: DESIGN's way of an order, step by step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from execsvc.clock import monotonic, now
from execsvc.errors import (
    LedgerFailed,
    LedgerUnavailable,
    OrderRefused,
    OutcomeContradicted,
    OutcomeUnknown,
)
from execsvc.execution.expected_balance import after_fill
from execsvc.execution.market_terms import MarketTerms, best_price, market_terms
from execsvc.execution.size_memory import SizeMemory
from execsvc.ledger import doubts, fees, operator
from execsvc.ledger.booking import book, is_booked
from execsvc.ledger.bot_ledger import BotLedger
from execsvc.ledger.rows import JournalRow, OrderRow
from execsvc.model.balance import Balance
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, exact_sum, plain
from execsvc.model.order import NOTHING_KNOWN, Fill, Intent, OrderState, Side, new_client_order_id
from execsvc.runner.account import Account
from execsvc.runner.record import Record
from execsvc.runner.reporter import Reporter
from execsvc.runner.restored import RestoredLedger
from execsvc.runner.settlement import Settlement
from execsvc.runner.venue import Funds, Size
from execsvc.runner.waits import Waits
from execsvc.waypoints import Waypoint, passed

_NOTES = {
    OrderState.NOT_EXECUTED: "nothing was filled",
    OrderState.ARRIVING: "the answer leaves its fee or its price open",
}
_KEEP_PAUSE = 0.5
"""Seconds between two tries to record what the exchange answered."""

OLDEST_TO_SEND = 2.0
"""Seconds after which an intent is not sent any more.

A process that was stopped, or waited for its disk, must not send what others settle meanwhile.
"""


class LiveVenue:
    """Places one order at a time on the bot's account, and books what came of it."""

    def __init__(
        self,
        bot_id: str,
        binding: Binding,
        ledger: BotLedger,
        account: Account,
        settlement: Settlement,
        record: Record,
        reporter: Reporter,
        waits: Waits,
        order_timeout: float,
        memory: SizeMemory,
        restored: RestoredLedger | None = None,
    ) -> None:
        self._bot_id = bot_id
        self._binding = binding
        self._ledger = ledger
        self._account = account
        self._settlement = settlement
        self._record = record
        self._reporter = reporter
        self._waits = waits
        self._order_timeout = order_timeout
        self._memory = memory
        self._restored = restored
        self._contested = 0

    def execute(
        self,
        side: Side,
        size: Size,
        reason: str,
        exits: bool,
        state: str | None,
        short: bool = False,
    ) -> OrderRow:
        """Place one market order and book what came of it, be it a refusal."""
        closes = (side is Side.SELL) is not short
        with self._account.adapter.exiting(closes):
            return self._execute(side, size, reason, exits, state, short)

    def _execute(
        self,
        side: Side,
        size: Size,
        reason: str,
        exits: bool,
        state: str | None,
        short: bool,
    ) -> OrderRow:
        terms = market_terms(self._account.adapter, self._ledger, self._binding, side)
        if self._restored is not None:
            self._restored.ask(exits)
        with self._account.turn(exits):
            passed(Waypoint.TURN_TAKEN)
            self._settle_open_order(exits)
            self._adopt(state)
            if self._restored is not None:
                self._restored.admit(exits)
            balance = self._account.balance(self._assets, exits)
            amount = size(self._funds(balance, terms, side))
            if not exits:
                # A strategy may have swallowed the StopRequested of an earlier wait.
                self._waits.look()
            self._account.adapter.connect_for_order(self._order_timeout, interruptible=not exits)
            passed(Waypoint.CONNECTED)
            intent = self._intent(side, amount, reason, balance, terms.price, short)
            send_by = monotonic() + OLDEST_TO_SEND
            self._begin(intent, balance)
            with self._waits.uninterrupted():
                try:
                    self._send(intent, exits, send_by)
                finally:
                    # A refusal too: an outcome that is not booked makes a flat bot look open.
                    self._adopt(state)
                    self._count_contested()
        return self._account.journal.row(intent.client_order_id).order()

    def balance(self) -> Balance:
        """What the account holds. Raises Unavailable."""
        return self._account.adapter.balance(*self._assets)

    def best_price(self, side: Side) -> Decimal:
        """Best ask for a buy, best bid for a sell. Raises Unavailable."""
        return best_price(self._account.adapter, self._binding.symbol, side)

    def tracked_by_all(self) -> Decimal:
        """What of the base all bots of the account track, by their ledgers."""
        try:
            return self._account.journal.tracked_by_all(self._binding.base)
        except LedgerFailed as fault:
            # Another bot's ledger must not end this one; it only must not sell anything then.
            raise OrderRefused(f"what is the user's own cannot be told: {fault}") from fault

    def _not_to_be_spent(self) -> Decimal:
        """The part of the free quote that is the position of some bot of this account."""
        try:
            return self._account.journal.not_to_be_spent(self._binding.quote)
        except LedgerFailed as fault:
            raise OrderRefused(
                f"how much {self._binding.quote} other bots of the account hold cannot be told: {fault}"
            ) from fault

    def entries_blocked(self) -> str | None:
        """Why no entry may go out: what is contested, until an operator has decided it."""
        contested = self._count_contested()
        if not contested:
            return self._restored.blocked() if self._restored is not None else None
        return f"order {contested[0].intent.client_order_id} is contested (execsvc settle)"

    def recover(self, exits: bool) -> None:
        """Settle an order of this bot that an earlier process left open; book what is settled."""
        row = self._account.journal.unsettled()
        if row is not None and row.intent.bot_id == self._bot_id:
            turn = self._account.turn(exits, outlasts_ban=True)
            with self._account.adapter.exiting(exits), turn:
                self._settle_open_order(exits)
        self._adopt(None)
        self._count_contested()

    def refresh(self) -> bool:
        """Book what an operator has decided since; after a start, compare ledger and account first.

        True when something was booked. Raises Unavailable while the account cannot be compared.
        """
        if self._restored is not None:
            self._compare(self._restored)
        before = self._contested
        if before:
            self._adopt(None)
            self._count_contested()
        return self._contested != before

    def _compare(self, restored: RestoredLedger) -> None:
        restored.skip_if_flat()
        if not restored.is_looked_at:
            restored.ask(exits=False)
            with self._account.turn(exits=False):
                self._settle_open_order(exits=False)
                self._adopt(None)
                restored.look(exits=False)
        restored.refresh()

    def held(self) -> Decimal | None:
        """Free and locked base of the account, with nothing unsettled on it.

        None while the service does not say what is locked. Raises Unavailable.
        """
        with self._account.turn(exits=False):
            self._settle_open_order(exits=False)
            self._adopt(None)
            balance = self._account.balance(self._assets, exits=False)
        return balance.holding(self._binding.base).total

    def fees_in_base(self, since: datetime | None) -> Decimal:
        """Base units that orders of other markets have paid as fees ``since``; zero when that is None.

        Zero also while the journal cannot say: it must not hold up an exit.
        """
        if since is None:
            return ZERO
        try:
            return fees.paid_in(self._account.journal.connection, self._binding.base, since)
        except LedgerFailed:
            return ZERO

    def forget_expected(self) -> None:
        """Coins were booked as gone: what the account should hold is known no more."""
        doubts.forget_expected(self._account.journal.connection, self._binding.symbol)

    def release_asked(self) -> bool:
        """True while an operator's word that missing coins are gone waits to be carried out."""
        return operator.release_asked(self._account.journal, self._bot_id)

    def release_done(self) -> None:
        """It was carried out."""
        operator.released(self._account.journal, self._bot_id)

    @property
    def _assets(self) -> tuple[str, str]:
        return self._binding.base, self._binding.quote

    def _count_contested(self) -> list[JournalRow]:
        contested = self._account.journal.contested(self._bot_id)
        self._contested = len(contested)
        self._reporter.update(contested=self._contested, reported=self._ledger.reported)
        return contested

    def _settle_open_order(self, exits: bool) -> None:
        row = self._account.journal.unsettled()
        if row is not None:
            self._settlement.settle(row, self._bot_id, exits)

    def _funds(self, balance: Balance, terms: MarketTerms, side: Side) -> Funds:
        base = balance.holding(self._binding.base)
        reserved = self._not_to_be_spent() if side is Side.BUY else ZERO
        return Funds(
            free_base=base.free,
            total_base=base.total,
            free_quote=max(exact_sum(balance.free(self._binding.quote), -reserved), ZERO),
            reserved_quote=reserved,
            price=terms.price,
            limits=terms.limits,
            priced_at=terms.asked_at,
        )

    def _intent(
        self,
        side: Side,
        amount: Decimal,
        reason: str,
        balance: Balance,
        price: Decimal | None,
        short: bool,
    ) -> Intent:
        return Intent(
            client_order_id=new_client_order_id(),
            bot_id=self._bot_id,
            key_id=self._binding.key_id,
            symbol=self._binding.symbol,
            side=side,
            amount=amount,
            reason=reason,
            price=price,
            baseline_base=balance.free(self._binding.base),
            baseline_quote=balance.free(self._binding.quote),
            created_at=now(),
            short=short,
        )

    def _begin(self, intent: Intent, balance: Balance) -> None:
        """Record the intent; from here on the order counts as out."""
        held = [balance.holding(asset) for asset in self._assets]
        in_orders = {one.asset: one.locked for one in held if one.locked is not None}
        self._account.journal.begin(intent, in_orders)
        self._record.intent(intent)
        self._reporter.update(reported=self._ledger.reported)

    def _send(self, intent: Intent, exits: bool, send_by: float) -> None:
        """Send the order once, or never after ``send_by``; when this returns, its outcome is recorded."""
        passed(Waypoint.BEFORE_SEND)
        try:
            fill = self._account.adapter.place_order(
                intent.client_order_id,
                intent.symbol,
                intent.side,
                intent.amount,
                self._order_timeout,
                send_by,
            )
        except OrderRefused as refusal:
            passed(Waypoint.AFTER_SEND)
            self._outcome(intent, OrderState.NOT_EXECUTED, Fill(filled=ZERO), str(refusal))
            return
        except OutcomeUnknown as unknown:
            passed(Waypoint.AFTER_SEND)
            self._unknown(intent, unknown)
            self._reporter.counts.order_unknown(intent.side)
            self._record.say(
                "WARNING",
                "order_unknown",
                f"outcome of {intent.side.value} {plain(intent.amount)} {intent.symbol} is unknown, "
                f"not sent again but settled: {unknown}",
                order_id=intent.client_order_id,
            )
            row = self._account.journal.row(intent.client_order_id)
            self._settlement.settle(row, self._bot_id, exits)
            return
        passed(Waypoint.AFTER_SEND)
        state = intent.state_after(fill)
        self._outcome(intent, state, fill, _NOTES.get(state, ""))
        if fill.priced_by is not None:
            self._record.priced(intent, fill)
        if state is OrderState.ARRIVING:
            row = self._account.journal.row(intent.client_order_id)
            self._settlement.settle(row, self._bot_id, exits)

    def _unknown(self, intent: Intent, unknown: OutcomeUnknown) -> None:
        """Record that the answer leaves the outcome to settlement."""
        if isinstance(unknown, OutcomeContradicted):
            self._outcome(intent, OrderState.ARRIVING, NOTHING_KNOWN, str(unknown))
            return
        at_least = Decimal(unknown.filled_at_least)
        journal, ended_at, why = self._account.journal, now(), str(unknown)
        self._keep(intent, lambda: journal.unknown(intent.client_order_id, ended_at, at_least, why))

    def _outcome(self, intent: Intent, state: OrderState, fill: Fill, detail: str) -> None:
        expected = after_fill(intent, fill) if state is OrderState.EXECUTED else None
        journal, at = self._account.journal, now()
        self._keep(
            intent,
            lambda: journal.outcome(intent.client_order_id, state, fill, at, detail, expected),
        )

    def _keep(self, intent: Intent, write: Callable[[], None]) -> None:
        """Record what the exchange answered, and try again for ORDER_TIMEOUT while that fails.

        Nothing else says it as exactly: without the record the balances have to tell what came of
        the order. Raises LedgerUnavailable.
        """
        until = monotonic() + self._order_timeout
        while True:
            try:
                write()
                return
            except LedgerUnavailable:
                if monotonic() >= until:
                    raise
            self._waits.wait(_KEEP_PAUSE, interruptible=False)
            row = self._account.journal.row(intent.client_order_id)
            if row.state is not OrderState.IN_FLIGHT:
                return  # it was on the disk, and only the word of that was lost

    def _adopt(self, state: str | None) -> None:
        """Book in the bot's own ledger what the journal has settled of its orders."""
        for row in self._account.journal.to_adopt(self._bot_id):
            order = row.order()
            binding = self._binding.model_copy(update={"symbol": order.symbol})
            again = is_booked(self._ledger, order.client_order_id)
            book(self._ledger, binding, order, state)
            self._memory.take(row)
            self._account.journal.adopted(order.client_order_id)
            self._record.outcome(order)
            if not again:
                self._reporter.counts.order(binding.mode, order)
