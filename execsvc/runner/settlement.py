"""Decides what became of an order whose answer did not say, by CONTRACTS section 2.

The caller holds the account's turn. Whoever sent the order may be dead.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timedelta
from decimal import Decimal

from execsvc.clock import now
from execsvc.errors import StopRequested, Unavailable
from execsvc.ledger.account_journal import Expected, JournalRow
from execsvc.model.market import Balance
from execsvc.model.order import LARGEST_BASE_FEE, OrderState
from execsvc.runner.account import Account
from execsvc.runner.record import Record
from execsvc.runner.reporter import Reporter
from execsvc.runner.verdict import Finding, Verdict, judge
from execsvc.runner.waits import Waits

READ_INTERVAL = 0.5
"""Seconds between the two reads that have to agree."""
LAG_SHARE = 0.3
LARGEST_LAG = 3.0
"""After the window, balances get this share of it, at most 3 s, to show what executed last."""
_TOLERANCE = Decimal("1e-8")

_STATES = {
    Finding.FULL: OrderState.EXECUTED,
    Finding.PARTLY: OrderState.EXECUTED,
    Finding.NONE: OrderState.NOT_EXECUTED,
    Finding.CONTESTED: OrderState.CONTESTED,
}


class Settlement:
    """Settles the open order of an account, whoever sent it."""

    def __init__(
        self,
        account: Account,
        waits: Waits,
        reporter: Reporter,
        record: Record,
        window: float,
        order_timeout: float,
    ) -> None:
        self._account = account
        self._waits = waits
        self._reporter = reporter
        self._record = record
        self._window = timedelta(seconds=window)
        self._lag = timedelta(seconds=min(LARGEST_LAG, window * LAG_SHARE))
        self._order_timeout = timedelta(seconds=order_timeout)

    def settle(self, row: JournalRow, bot_id: str, exits: bool) -> JournalRow:
        """Wait until the outcome of ``row`` is decided; returns it settled.

        Raises StopRequested when this process is to end and can leave the order to others:
        it holds, or the order is another bot's and nothing of ours has to be sold.
        """
        may_leave = not exits and row.intent.bot_id != bot_id
        with nullcontext() if may_leave else self._waits.uninterrupted():
            if row.state is OrderState.ARRIVING:
                self._arrival(row)
            else:
                self._outcome(row)
        self._reporter.update(last_error=None)
        return self._account.journal.row(row.intent.client_order_id)

    def _outcome(self, row: JournalRow) -> None:
        decided_from = self._deadline(row) + self._lag
        before: tuple[Verdict, Balance] | None = None
        what = f"{row.intent.side.value} {row.intent.symbol} of bot {row.intent.bot_id}"
        while True:
            asked_at = now()
            balance = self._read(row, what)
            verdict = self._judge(row, balance)
            same = before is not None and _unmoved(row, before[1], balance)
            if same and (verdict.finding is Finding.FULL or asked_at >= decided_from):
                self._decide(row, verdict, balance)
                return
            if before is not None and not same and asked_at >= decided_from + self._window:
                self._decide(row, verdict.model_copy(update=_CONTESTED), balance)
                return
            before = (verdict, balance)
            self._reporter.update(last_error=f"settling the unknown outcome of a {what}")
            self._pause()

    def _arrival(self, row: JournalRow) -> None:
        """Find what fee in base a buy paid that reported none: by what arrived."""
        deadline = self._deadline(row)
        filled = row.fill.filled
        while True:
            asked_at = now()
            balance = self._read(row, f"arrival of {row.intent.symbol}")
            arrived = balance.free(_base(row)) - row.intent.baseline_base
            if filled * (1 - LARGEST_BASE_FEE) - _TOLERANCE <= arrived <= filled + _TOLERANCE:
                fee = max(filled - arrived, Decimal(0))
                break
            if asked_at >= deadline:
                fee = filled * LARGEST_BASE_FEE
                break
            self._pause()
        self._account.journal.outcome(
            row.intent.client_order_id,
            OrderState.EXECUTED,
            row.fill.model_copy(update={"base_fee": fee}),
            now(),
            expected=_settled_balance(row, balance),
        )

    def _deadline(self, row: JournalRow) -> datetime:
        if row.post_ended_at is not None:
            return row.post_ended_at + self._window
        return row.intent.created_at + self._order_timeout + self._window

    def _read(self, row: JournalRow, what: str) -> Balance:
        while True:
            try:
                return self._account.adapter.balance()
            except Unavailable as error:
                self._reporter.update(last_error=f"settling {what}: {error}")
                self._pause()

    def _pause(self) -> None:
        self._waits.wait(READ_INTERVAL)
        if self._waits.stop is not None and self._waits.stop.hold:
            raise StopRequested(self._waits.stop.signal)

    def _judge(self, row: JournalRow, balance: Balance) -> Verdict:
        base, quote = row.intent.symbol.split("/")
        return judge(row.intent, balance.free(base), balance.free(quote), row.at_least)

    def _decide(self, row: JournalRow, verdict: Verdict, balance: Balance) -> None:
        state = _STATES[verdict.finding]
        moved = verdict.finding is not Finding.NONE
        self._account.journal.outcome(
            row.intent.client_order_id,
            state,
            verdict.fill,
            now(),
            f"settled as {verdict.finding.value}",
            expected=_settled_balance(row, balance) if moved else None,
        )
        self._record.say(
            "CRITICAL" if state is OrderState.CONTESTED else "WARNING",
            "order_contested" if state is OrderState.CONTESTED else "order_settled",
            _said(row, verdict),
            order_id=row.intent.client_order_id,
            owner=row.intent.bot_id,
            finding=verdict.finding.value,
            filled=verdict.fill.filled,
        )


_CONTESTED = {"finding": Finding.CONTESTED}


def _said(row: JournalRow, verdict: Verdict) -> str:
    intent = row.intent
    text = (
        f"outcome of {intent.side.value} {intent.amount:f} {intent.symbol} of bot "
        f"{intent.bot_id} was unknown, settled by balances: {verdict.finding.value}, "
        f"filled {verdict.fill.filled:f}"
    )
    if verdict.finding is Finding.CONTESTED:
        text += "; somebody else moved the account: decide it with execsvc settle"
    return text


def _base(row: JournalRow) -> str:
    return row.intent.symbol.split("/")[0]


def _unmoved(row: JournalRow, one: Balance, other: Balance) -> bool:
    return all(
        abs(one.free(asset) - other.free(asset)) <= _TOLERANCE
        for asset in row.intent.symbol.split("/")
    )


def _settled_balance(row: JournalRow, balance: Balance) -> dict[str, Expected]:
    """A balance that shows the fill already is what the next order's baseline must agree with."""
    return {
        asset: Expected(amount=balance.free(asset), tolerance=_TOLERANCE, filled_at=now())
        for asset in row.intent.symbol.split("/")
    }
