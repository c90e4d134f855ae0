"""Decides the outcome of an order whose answer did not state it, by CONTRACTS section 2.

The caller holds the account's turn. The process that sent the order may be dead.
"""

from __future__ import annotations

from contextlib import nullcontext
from decimal import Decimal

from execsvc.clock import monotonic, now, seconds_since
from execsvc.errors import LedgerFailed, StopRequested, Unavailable
from execsvc.execution.account import Account
from execsvc.execution.exchange import best_price
from execsvc.execution.ports import Services
from execsvc.execution.settlement.arrival import Reference, after_fill, arrived, cautious
from execsvc.execution.settlement.decision import (
    SettlementDecision,
    SettlementFinding,
    base_noise,
    contested,
    decide,
    quote_noise,
)
from execsvc.execution.settlement.order_lookup import Found, OrderLookup
from execsvc.failpoints import Failpoint, hit
from execsvc.model.balance import Balance
from execsvc.model.market import ZERO, Symbol
from execsvc.model.order import Fill, OrderState, Purpose
from execsvc.store.orders import Expected, JournalRow

READ_INTERVAL = 0.5
"""Seconds between the two reads that have to agree."""
LAG_SHARE = 0.3
LARGEST_LAG = 3.0
"""After the window, balances get this share of it, at most 3 s, to show what executed last."""
_TOLERANCE = Decimal("1e-8")
_STATES = {
    SettlementFinding.FULL: OrderState.EXECUTED,
    SettlementFinding.PARTLY: OrderState.EXECUTED,
    SettlementFinding.NONE: OrderState.NOT_EXECUTED,
    SettlementFinding.CONTESTED: OrderState.CONTESTED,
}


_BY_BALANCES = frozenset({Found.NO_RECORDS, Found.CONTRADICTED})
"""The results of a look-up that leave the decision to balances."""


class _DecidedElsewhereError(Exception):
    """The order has an outcome that this process did not write."""


class Settlement:
    """Settles the open order of an account, no matter which process sent it."""

    def __init__(self, services: Services, account: Account) -> None:
        self._account = account
        self._bot_id = services.bot_id
        self._waits = services.waits
        self._reporter = services.reporter
        self._record = services.record
        self._window = services.settings.settlement_window
        self._order_timeout = services.settings.order_timeout
        self._lookup = OrderLookup(account.adapter, account.journal)
        self._lag = min(LARGEST_LAG, self._window * LAG_SHARE)

    def settle(self, row: JournalRow, purpose: Purpose) -> JournalRow:
        """Wait until the outcome of ``row`` is decided, before an order of ``purpose``.

        Return the settled row.

        Raises StopRequested when this process is to end and can leave the order to others: a stop
        that keeps the position, or an order of another bot while nothing of this bot has to be
        sold.
        """
        may_leave = not purpose.outlasts_stop and row.intent.bot_id != self._bot_id
        with nullcontext() if may_leave else self._waits.uninterrupted():
            try:
                self._by_what_is_seen(row)
            except (_DecidedElsewhereError, LedgerFailed):
                if not self._is_decided(row):
                    raise
        self._reporter.update(last_error=None)
        settled = self._account.journal.row(row.intent.client_order_id)
        if row.state is not OrderState.ARRIVING or row.fill.filled == 0:
            self._reporter.counts.settled(settled.order())
        return settled

    def _by_what_is_seen(self, row: JournalRow) -> None:
        if row.state is OrderState.ARRIVING:
            if row.fill.filled > 0:
                self._arrival(row)
            else:  # its answer contradicts itself, so nothing of it is believed
                self._by_balances(row)
        elif not self._by_records(row):
            self._by_balances(row)

    def _is_decided(self, row: JournalRow) -> bool:
        """True once the journal has an outcome: an operator may have released the position of its
        bot.
        """
        return not self._account.journal.row(row.intent.client_order_id).state.unsettled

    def _by_records(self, row: JournalRow) -> bool:
        """Decide by the adapter's own records of orders; False where balances have to decide."""
        decided_from = self._deadline(row) + self._lag
        what = f"{row.intent.side.value} {row.intent.symbol} of bot {row.intent.bot_id}"
        while True:
            asked_at = monotonic()
            found = self._lookup.look_up(row)
            hit(Failpoint.SETTLING)
            if isinstance(found, Fill):
                self._accept(row, found)
                return True
            if found in _BY_BALANCES or asked_at >= decided_from + self._window:
                return False
            is_time = asked_at >= decided_from and self._may_decide(row)
            if found is Found.NOT_AMONG_THEM and is_time:
                self._accept(row, Fill(filled=ZERO))
                return True
            self._reporter.update(last_error=f"settling a {what}: {found.value}")
            self._pause(row)

    def _accept(self, row: JournalRow, fill: Fill) -> None:
        intent, journal = row.intent, self._account.journal
        state = intent.state_after(fill)
        journal.outcome(
            intent.client_order_id,
            state,
            fill,
            now(),
            row.settled("settled by the adapter's records"),
            after_fill(intent, fill) if state is OrderState.EXECUTED else None,
        )
        if fill.priced_by is not None:
            self._record.priced(intent, fill)
        text = (
            f"outcome of {intent.side.value} {intent.amount:f} {intent.symbol} of bot "
            f"{intent.bot_id} was unknown, settled by the adapter's records: filled {fill.filled:f}"
        )
        self._record.log("WARNING", "order_settled", text, **_fields(row, fill))
        if state is OrderState.ARRIVING:
            self._arrival(journal.row(intent.client_order_id))

    def _by_balances(self, row: JournalRow) -> None:
        decided_from = self._deadline(row) + self._lag
        before: tuple[SettlementDecision, Balance] | None = None
        what = f"{row.intent.side.value} {row.intent.symbol} of bot {row.intent.bot_id}"
        while True:
            asked_at = monotonic()
            balance = self._read(row, what)
            decision = self._decision(row, balance)
            same = before is not None and _unmoved(row, before[1], balance)
            is_time = asked_at >= decided_from and self._may_decide(row)
            if same and (decision.finding is SettlementFinding.FULL or is_time):
                self._decide(row, decision, balance)
                return
            late = asked_at >= decided_from + self._window and self._may_decide(row)
            if before is not None and not same and late:
                # The balance keeps changing, so one read of it proves nothing.
                self._decide(row, self._contested(row, balance), balance)
                return
            before = (decision, balance)
            self._reporter.update(last_error=f"settling the unknown outcome of a {what}")
            self._pause(row)

    def _arrival(self, row: JournalRow) -> None:
        """Find the fee and the price that the answer left open, by the balance."""
        intent, deadline = row.intent, self._deadline(row)
        base, quote = Symbol.parse(intent.symbol)
        reference, before = self._reference(row), None
        while True:
            asked_at = monotonic()
            balance = self._read(row, f"arrival of {intent.symbol}")
            fill = arrived(intent, row.fill, balance.free(base), balance.free(quote), reference)
            if fill is None and before is not None and _unmoved(row, before, balance):
                decision = self._decision(row, balance)
                fill = decision.fill if decision.finding is SettlementFinding.FULL else None
            if fill is None and asked_at >= deadline:
                fill = cautious(intent, row.fill, reference)
            if fill is not None:
                break
            before = balance
            self._pause(row)
        self._account.journal.outcome(
            intent.client_order_id,
            OrderState.EXECUTED,
            fill,
            now(),
            expected=_settled_balance(row, balance),
        )
        if fill.priced_by is not None:
            self._record.priced(intent, fill)

    def _reference(self, row: JournalRow) -> Reference | None:
        """The market's price for an order that lacks one: of the book now, else of its ticker."""
        intent = row.intent
        if not intent.lacks_price(row.fill):
            return None
        try:
            price = best_price(self._account.adapter, intent.symbol, intent.side)
            return Reference(price, "the book after it")
        except Unavailable:
            return None if intent.price is None else Reference(intent.price, "the ticker before it")

    def _may_decide(self, row: JournalRow) -> bool:
        """False while another host may still be sending the order."""
        return row.ended is not None or self._account.journal.may_decide(row.intent.client_order_id)

    def _deadline(self, row: JournalRow) -> float:
        """The end of the window in monotonic seconds; setting a clock does not change it."""
        if row.ended is not None:
            since, longest = row.ended, self._window
        else:
            since, longest = row.sent, self._order_timeout + self._window
        return monotonic() + max(longest - seconds_since(since), 0.0)

    def _read(self, row: JournalRow, what: str) -> Balance:
        while True:
            try:
                balance = self._account.adapter.balance(*Symbol.parse(row.intent.symbol))
                hit(Failpoint.SETTLING)
                return balance
            except Unavailable as error:
                self._reporter.update(last_error=f"settling {what}: {error}")
                self._pause(row)

    def _pause(self, row: JournalRow) -> None:
        self._waits.wait(READ_INTERVAL)
        if self._is_decided(row):
            raise _DecidedElsewhereError
        if self._waits.stop is not None and self._waits.stop.hold:
            raise StopRequested(self._waits.stop.signal)

    def _decision(self, row: JournalRow, balance: Balance) -> SettlementDecision:
        base, quote = Symbol.parse(row.intent.symbol)
        return decide(row.intent, balance.free(base), balance.free(quote), row.at_least)

    def _contested(self, row: JournalRow, balance: Balance) -> SettlementDecision:
        base, quote = Symbol.parse(row.intent.symbol)
        return contested(row.intent, balance.free(base), balance.free(quote))

    def _decide(self, row: JournalRow, decision: SettlementDecision, balance: Balance) -> None:
        state = _STATES[decision.finding]
        moved = decision.finding is not SettlementFinding.NONE
        self._account.journal.outcome(
            row.intent.client_order_id,
            state,
            decision.fill,
            now(),
            row.settled(f"settled as {decision.finding.value}"),
            expected=_settled_balance(row, balance) if moved else None,
        )
        self._record.log(
            "CRITICAL" if state is OrderState.CONTESTED else "WARNING",
            "order_contested" if state is OrderState.CONTESTED else "order_settled",
            _settled_text(row, decision),
            finding=decision.finding.value,
            **_fields(row, decision.fill),
        )


def _unmoved(row: JournalRow, one: Balance, other: Balance) -> bool:
    noises = (base_noise(row.intent), quote_noise(row.intent))
    return all(
        abs(one.free(asset) - other.free(asset)) <= noise
        for asset, noise in zip(Symbol.parse(row.intent.symbol), noises, strict=True)
    )


def _settled_balance(row: JournalRow, balance: Balance) -> dict[str, Expected]:
    """The balance that the next order's baseline must agree with: one that shows the fill already."""
    return {
        asset: Expected(amount=balance.free(asset), tolerance=_TOLERANCE, filled_at=now())
        for asset in Symbol.parse(row.intent.symbol)
    }


def _settled_text(row: JournalRow, decision: SettlementDecision) -> str:
    """A line for the log and for the operator."""
    intent = row.intent
    text = (
        f"outcome of {intent.side.value} {intent.amount:f} {intent.symbol} of bot "
        f"{intent.bot_id} was unknown, settled by balances: {decision.finding.value}, "
        f"filled {decision.fill.filled:f}"
    )
    if decision.finding is SettlementFinding.CONTESTED:
        text += "; the account was also moved by other trades: decide it with execsvc settle"
    return text


def _fields(row: JournalRow, fill: Fill) -> dict[str, object]:
    """The fields of the line about ``row``: the order, its bot, the filled quantity."""
    intent = row.intent
    return {"order_id": intent.client_order_id, "owner": intent.bot_id, "filled": fill.filled}
