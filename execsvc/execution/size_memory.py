"""The amounts that a bot's markets took and refused, kept over restarts."""

from __future__ import annotations

from decimal import Decimal

from execsvc.clients.exchange_words import meaning
from execsvc.clock import now
from execsvc.errors import LedgerFailed
from execsvc.execution.known_sizes import KEPT, Known, known_of, places
from execsvc.execution.ports import Record
from execsvc.logs import bound
from execsvc.model.market import plain
from execsvc.model.order import OrderState
from execsvc.model.refusal import Refusal
from execsvc.model.size_answer import SizeAnswer
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

    def __init__(self, ledger: BotStore, record: Record) -> None:
        self._ledger = ledger
        self._record = record
        self._answers: dict[_Market, list[SizeAnswer]] = {}

    def known(self, key_id: str, symbol: str, price: Decimal | None) -> Known:
        """The limits of ``symbol`` as learnt; ``price`` is the ticker's, None without one."""
        return known_of(self._of((key_id, symbol)), now(), price)

    def take(self, row: JournalRow) -> None:
        """Learn from the outcome of an order, and log new limits; a repeated call changes nothing."""
        answer, price = _answer(row), row.intent.price
        market = row.intent.key_id, row.intent.symbol
        answers = self._of(market)
        if answer is None or not _tells(answer, answers):
            return
        before = self.known(*market, price)
        kept = [each for each in answers if abs(now() - each.at) < KEPT]
        answers[:] = [*(each for each in kept if not _is_replaced(each, answer)), answer]
        try:
            self._ledger.add_size_answer(*market, answer, now() - KEPT)
        except LedgerFailed as fault:
            self._say(fault)
        self._tell(row.intent.symbol, before, self.known(*market, price))

    def forget(self) -> None:
        """Forget every answer, as an operator's release asks."""
        self._answers.clear()
        try:
            self._ledger.forget_size_answers()
        except LedgerFailed as fault:
            self._say(fault)

    def _of(self, market: _Market) -> list[SizeAnswer]:
        if market not in self._answers:
            try:
                self._answers[market] = self._ledger.size_answers(*market)
            except LedgerFailed as fault:
                self._say(fault)
                self._answers[market] = []
        return self._answers[market]

    def _tell(self, symbol: str, before: Known, after: Known) -> None:
        if after.decimals is not None and after.decimals != before.decimals:
            text = f"amounts of {symbol} have {after.decimals} decimals at most now"
            self._record.say("WARNING", "step_learnt", text)
        if after.maximum is not None and after.maximum != before.maximum:
            text = f"an order of {plain(after.maximum)} is too large for {symbol}"
            self._record.say("WARNING", "maximum_learnt", text)

    def _say(self, fault: LedgerFailed) -> None:
        event = bound(bot_id=self._ledger.bot_id).bind(event="ledger_failed")
        event.error("what was learnt of sizes: {}", fault)


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


def _tells(answer: SizeAnswer, answers: list[SizeAnswer]) -> bool:
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
