"""The sizes of a bot's orders: what its markets take, as far as it is published or was learnt.

Answers to the bot's orders are kept over restarts.
"""

from __future__ import annotations

from decimal import Decimal

from execsvc.clients.exchange_words import meaning
from execsvc.clock import now
from execsvc.errors import LedgerFailed, OrderRefused
from execsvc.execution.known_sizes import KEPT, KnownSizes, known_of, places
from execsvc.execution.next_amount import last_amount, next_amount
from execsvc.execution.ports import RecordPort
from execsvc.logs import bound
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, Limits, plain, round_down
from execsvc.model.order import OrderState
from execsvc.model.refusal import Refusal, SizeAnswer
from execsvc.store.bot_store import BotStore
from execsvc.store.orders import JournalRow, OrderRow

_Market = tuple[str, str]
"""Account and symbol."""


class SizeMemory:
    """The answers to a bot's orders, learnt as their outcomes are adopted.

    The answer is in the account's journal and reaches this memory with the outcome, no matter which
    bot settled the order or how often this bot's process died since. Nothing here raises: after a
    fault of the ledger an answer is known only as long as the process lives, and no exit fails.
    """

    def __init__(self, ledger: BotStore, record: RecordPort) -> None:
        self._ledger = ledger
        self._record = record
        self._answers: dict[_Market, list[SizeAnswer]] = {}

    def known(self, key_id: str, symbol: str, price: Decimal | None) -> KnownSizes:
        """The limits of ``symbol`` as learnt; ``price`` is the ticker's, None without one."""
        return known_of(self._of((key_id, symbol)), now(), price)

    def learn(self, row: JournalRow) -> None:
        """Learn from the outcome of an order, and log new limits; a repeated call changes nothing."""
        answer, price = _answer(row), row.intent.price
        market = row.intent.key_id, row.intent.symbol
        answers = self._of(market)
        if answer is None or not _is_news(answer, answers):
            return
        before = self.known(*market, price)
        kept = [each for each in answers if abs(now() - each.at) < KEPT]
        answers[:] = [*(each for each in kept if not _is_replaced(each, answer)), answer]
        try:
            self._ledger.add_size_answer(*market, answer, now() - KEPT)
        except LedgerFailed as fault:
            self._log_fault(fault)
        self._log_news(row.intent.symbol, before, self.known(*market, price))

    def forget(self) -> None:
        """Forget every answer, as an operator's release asks."""
        self._answers.clear()
        try:
            self._ledger.forget_size_answers()
        except LedgerFailed as fault:
            self._log_fault(fault)

    def _of(self, market: _Market) -> list[SizeAnswer]:
        if market not in self._answers:
            try:
                self._answers[market] = self._ledger.size_answers(*market)
            except LedgerFailed as fault:
                self._log_fault(fault)
                self._answers[market] = []
        return self._answers[market]

    def _log_news(self, symbol: str, before: KnownSizes, after: KnownSizes) -> None:
        if after.decimals is not None and after.decimals != before.decimals:
            text = f"amounts of {symbol} have {after.decimals} decimals at most now"
            self._record.log("WARNING", "step_learnt", text)
        if after.maximum is not None and after.maximum != before.maximum:
            text = f"an order of {plain(after.maximum)} is too large for {symbol}"
            self._record.log("WARNING", "maximum_learnt", text)

    def _log_fault(self, fault: LedgerFailed) -> None:
        event = bound(bot_id=self._ledger.bot_id).bind(event="ledger_failed")
        event.error("sizes that orders have shown: {}", fault)


class OrderSizes:
    """The sizes that a bot's market takes, as far as they are published or were learnt."""

    def __init__(self, memory: SizeMemory, binding: Binding, precision: int | None) -> None:
        self._memory = memory
        self._binding = binding
        self._precision = precision

    def known(self, price: Decimal | None) -> KnownSizes:
        """The limits learnt from refusals; ``price`` is the ticker's, None without one."""
        return self._memory.known(self._binding.key_id, self._binding.symbol, price)

    def of_strategy(self, limits: Limits) -> int:
        """Decimals that an amount of the strategy's own orders may have."""
        return limits.decimals if self._precision is None else min(limits.decimals, self._precision)

    def forget(self) -> None:
        """Forget the limits learnt from refusals."""
        self._memory.forget()


class Sizing:
    """The amounts of the orders of one call: after each refusal for the size another one.

    ``opens``: the call is an entry, which may try how large an order the market takes.
    """

    def __init__(self, sizes: OrderSizes, opens: bool) -> None:
        self._sizes = sizes
        self._opens = opens
        self._refusal: str | None = None
        self._amount = ZERO

    def amount(
        self,
        wanted: Decimal,
        decimals: int,
        limits: Limits,
        price: Decimal | None,
        tracked: Decimal | None = None,
    ) -> Decimal:
        """The amount to order of ``wanted`` base units, which have ``decimals`` at most.

        ``tracked`` is given when all of it is to be sold. Raises OrderRefused, in the words of the
        last refusal of this call, when every other amount has been refused as well. The first order
        of a call is always sent: the market may have changed.
        """
        known = self._sizes.known(price)
        amount = next_amount(wanted, decimals, limits, price, known, self._opens)
        if amount is None and tracked is not None:
            whole = round_down(tracked, limits.decimals)
            if wanted == whole:
                amount = last_amount(tracked, limits, price, known)
        if self._refusal is not None and amount in (None, self._amount):
            raise OrderRefused(self._refusal)
        self._amount = wanted if amount is None else amount
        return self._amount

    def goes_on(self, order: OrderRow) -> bool:
        """True when another amount may be taken after ``order`` was not executed."""
        self._refusal = order.detail
        refusal = meaning(order.detail)
        return refusal is not None and refusal.is_of_size


def _answer(row: JournalRow) -> SizeAnswer | None:
    """The answer about the order's amount in ``row``; None when the row has none."""
    intent = row.intent
    refusal = None
    if row.state is OrderState.NOT_EXECUTED:
        refusal = meaning(row.detail)
        if refusal is None or not refusal.is_learnt:
            return None
    elif row.state is not OrderState.EXECUTED or row.fill.filled == 0:
        return None
    at = row.settled_at or now()
    return SizeAnswer(intent.client_order_id, intent.side, intent.amount, intent.price, refusal, at)


def _is_news(answer: SizeAnswer, answers: list[SizeAnswer]) -> bool:
    """True when ``answer`` is news: an amount that was taken is news only beside a refusal."""
    if any(each.client_order_id == answer.client_order_id for each in answers):
        return False
    if answer.refusal is not None:
        return True
    for each in reversed(answers):
        if each.refusal is not None:
            return True
        if (
            each.side is answer.side
            and each.amount >= answer.amount
            and places(each.amount) >= places(answer.amount)
        ):
            return False
    return False


def _is_replaced(earlier: SizeAnswer, answer: SizeAnswer) -> bool:
    same = (earlier.side, earlier.amount, earlier.refusal) == (
        answer.side,
        answer.amount,
        answer.refusal,
    )
    return same and earlier.refusal is not Refusal.BALANCE
