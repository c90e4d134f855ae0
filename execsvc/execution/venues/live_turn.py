"""One order on the exchange, while the account's turn is held: recorded, sent once, settled, booked."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execsvc.clock import monotonic, now
from execsvc.errors import (
    LedgerFailed,
    LedgerUnavailable,
    OrderRefused,
    OutcomeContradicted,
    OutcomeUnknown,
)
from execsvc.execution.account import Account
from execsvc.execution.funds import Funds
from execsvc.execution.ports import Services
from execsvc.execution.settlement.arrival import after_fill
from execsvc.execution.settlement.settlement import Settlement
from execsvc.execution.venues.adoption import Adoption
from execsvc.failpoints import Failpoint, hit
from execsvc.model.balance import Balance
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, plain
from execsvc.model.order import (
    NOTHING_KNOWN,
    Fill,
    Intent,
    OrderRequest,
    OrderState,
    new_client_order_id,
)
from execsvc.store.orders import Expected, OrderRow

_NOTES = {
    OrderState.NOT_EXECUTED: "nothing was filled",
    OrderState.ARRIVING: "the answer leaves its fee or its price open",
}
_KEEP_PAUSE = 0.5
"""Seconds between two tries to record what the exchange answered."""

OLDEST_TO_SEND = 2.0
"""Seconds after which an intent is not sent any more.

A process that was stopped, or waited for its disk, must not send an order that others settle
meanwhile.
"""


class LiveBot(NamedTuple):
    """One bot on its account, live: the parts that place, settle and book its orders."""

    services: Services
    binding: Binding
    account: Account
    settlement: Settlement
    adoption: Adoption


class _Answer(NamedTuple):
    """The exchange's answer to an order, as the journal records it."""

    at: datetime
    state: OrderState
    fill: Fill
    """Of an unknown outcome the part that the answer stated."""
    detail: str
    expected: dict[str, Expected] | None = None
    """The balance expected after the order, of one that was executed."""
    unknown: OutcomeUnknown | None = None
    """The error by which the outcome is left to settlement."""


class LiveTurn:
    """The account's turn, with ``baseline`` read within it and ``funds`` by which an order is sized."""

    def __init__(
        self, bot: LiveBot, request: OrderRequest, baseline: Balance, funds: Funds
    ) -> None:
        self.funds = funds
        self._services = bot.services
        self._binding = bot.binding
        self._account = bot.account
        self._journal = bot.account.journal
        self._settlement = bot.settlement
        self._adoption = bot.adoption
        self._request = request
        self._baseline = baseline

    def submit(self, quantity: Decimal) -> OrderRow:
        """Place one market order and book its outcome, a refusal as well.

        Raises StopRequested, Unavailable, LedgerFailed.
        """
        waits, timeout = self._services.waits, self._services.settings.order_timeout
        outlasts_stop = self._request.purpose.outlasts_stop
        if not outlasts_stop:
            # A strategy may have swallowed the StopRequested of an earlier wait.
            waits.handle_signals()
        self._account.adapter.connect_for_order(timeout, interruptible=not outlasts_stop)
        hit(Failpoint.CONNECTED)
        intent = self._intent(quantity)
        send_by = monotonic() + OLDEST_TO_SEND
        self._begin(intent)
        with waits.uninterrupted():
            try:
                answer = self._send(intent, send_by)
                self._keep(intent, answer)
                if answer.state.unsettled:
                    row = self._journal.row(intent.client_order_id)
                    self._settlement.settle(row, self._request.purpose)
            finally:
                # A refusal too: an outcome that is not booked makes a flat bot look open.
                self._adoption.adopt(self._request.strategy_state)
                self._adoption.count_contested()
        return self._journal.row(intent.client_order_id).order()

    def _intent(self, quantity: Decimal) -> Intent:
        purpose = self._request.purpose
        return Intent(
            client_order_id=new_client_order_id(),
            bot_id=self._services.bot_id,
            key_id=self._binding.key_id,
            symbol=self._binding.symbol,
            side=purpose.side,
            amount=quantity,
            reason=self._request.reason,
            price=self.funds.price,
            baseline_base=self._baseline.free(self._binding.base),
            baseline_quote=self._baseline.free(self._binding.quote),
            created_at=now(),
            short=purpose.is_short,
        )

    def _begin(self, intent: Intent) -> None:
        """Record the intent; from here on the order counts as sent."""
        assets = self._binding.base, self._binding.quote
        held = [self._baseline.holding(asset) for asset in assets]
        in_orders = {one.asset: one.locked for one in held if one.locked is not None}
        self._journal.begin(intent, in_orders)
        self._services.record.intent(intent)
        self._services.reporter.update(reported=self._services.ledger.reported)

    def _send(self, intent: Intent, send_by: float) -> _Answer:
        """Send the order once, or never after ``send_by``."""
        hit(Failpoint.BEFORE_SEND)
        try:
            self._journal.check_claim()
        except LedgerFailed as lost:
            return _Answer(now(), OrderState.NOT_EXECUTED, Fill(filled=ZERO), f"never sent: {lost}")
        try:
            fill = self._account.adapter.place_order(
                intent.client_order_id,
                intent.symbol,
                intent.side,
                intent.amount,
                self._services.settings.order_timeout,
                send_by,
            )
        except OrderRefused as refusal:
            hit(Failpoint.AFTER_SEND)
            return _Answer(now(), OrderState.NOT_EXECUTED, Fill(filled=ZERO), str(refusal))
        except OutcomeContradicted as unknown:
            hit(Failpoint.AFTER_SEND)
            state, text = OrderState.ARRIVING, str(unknown)
            return _Answer(now(), state, NOTHING_KNOWN, text, unknown=unknown)
        except OutcomeUnknown as unknown:
            hit(Failpoint.AFTER_SEND)
            at_least = Fill(filled=Decimal(unknown.filled_at_least))
            return _Answer(now(), OrderState.UNKNOWN, at_least, str(unknown), unknown=unknown)
        hit(Failpoint.AFTER_SEND)
        state = intent.state_after(fill)
        expected = after_fill(intent, fill) if state is OrderState.EXECUTED else None
        return _Answer(now(), state, fill, _NOTES.get(state, ""), expected)

    def _keep(self, intent: Intent, answer: _Answer) -> None:
        """Record the exchange's answer, and try again for ORDER_TIMEOUT while that fails.

        Nothing else is as exact: without the record the outcome has to be decided by balances.
        Raises LedgerUnavailable.
        """
        until = monotonic() + self._services.settings.order_timeout
        while not self._is_kept(intent.client_order_id, answer, until):
            self._services.waits.wait(_KEEP_PAUSE, interruptible=False)
            row = self._journal.row(intent.client_order_id)
            if row.state is not OrderState.IN_FLIGHT:
                break  # it was on the disk, and only the confirmation was lost
        if answer.unknown is not None:
            self._log_unknown(intent, answer.unknown)
        elif answer.fill.priced_by is not None:
            self._services.record.priced(intent, answer.fill)

    def _is_kept(self, order_id: str, answer: _Answer, until: float) -> bool:
        """True once the answer is recorded. Raises LedgerUnavailable after ``until``."""
        at, state, fill, detail, expected, _ = answer
        try:
            if state is OrderState.UNKNOWN:
                self._journal.unknown(order_id, at, fill.filled, detail)
            else:
                self._journal.outcome(order_id, state, fill, at, detail, expected)
        except LedgerUnavailable:
            if monotonic() >= until:
                raise
            return False
        return True

    def _log_unknown(self, intent: Intent, unknown: OutcomeUnknown) -> None:
        self._services.reporter.counts.order_unknown(intent.side)
        self._services.record.log(
            "WARNING",
            "order_unknown",
            f"outcome of {intent.side.value} {plain(intent.amount)} {intent.symbol} is unknown, "
            f"not sent again but settled: {unknown}",
            order_id=intent.client_order_id,
        )
