"""The answers to a bot's orders that limit the sizes of later ones, kept over restarts."""

from __future__ import annotations

from decimal import Decimal

from execsvc.clients.exchange_words import meaning
from execsvc.clock import now
from execsvc.errors import LedgerFailed
from execsvc.execution.ports import RecordPort
from execsvc.execution.sizes.known_sizes import KEPT, KnownSizes, known_of, places
from execsvc.logs import bound
from execsvc.model.bot import Binding
from execsvc.model.market import plain
from execsvc.model.order import OrderState
from execsvc.model.refusal import Refusal, SizeAnswer
from execsvc.store.bot_store import BotStore
from execsvc.store.orders import JournalRow

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

    def known(self, binding: Binding, price: Decimal | None) -> KnownSizes:
        """The limits of the market of ``binding`` as learnt; ``price`` is the ticker's, None without
        one.
        """
        return self._known((binding.key_id, binding.symbol), price)

    def learn(self, row: JournalRow) -> None:
        """Learn from the outcome of an order, and log new limits; a repeated call changes nothing."""
        answer, price = _answer(row), row.intent.price
        market = row.intent.key_id, row.intent.symbol
        answers = self._of(market)
        if answer is None or not _is_news(answer, answers):
            return
        before = self._known(market, price)
        kept = [each for each in answers if abs(now() - each.at) < KEPT]
        answers[:] = [*(each for each in kept if not _is_replaced(each, answer)), answer]
        try:
            self._ledger.add_size_answer(*market, answer, now() - KEPT)
        except LedgerFailed as fault:
            self._log_fault(fault)
        self._log_news(row.intent.symbol, before, self._known(market, price))

    def forget(self) -> None:
        """Forget every answer, as an operator's release asks."""
        self._answers.clear()
        try:
            self._ledger.forget_size_answers()
        except LedgerFailed as fault:
            self._log_fault(fault)

    def _known(self, market: _Market, price: Decimal | None) -> KnownSizes:
        return known_of(self._of(market), now(), price)

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


def is_of_size(detail: str) -> bool:
    """True when another amount may be taken at once, after a refusal in the words of ``detail``."""
    refusal = meaning(detail)
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
