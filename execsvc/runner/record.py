"""The log of a bot's process: a line in the service's log and a row in the bot's execution log."""

from __future__ import annotations

from typing import Any

from execsvc.clock import monotonic, now
from execsvc.errors import LedgerFailed
from execsvc.events import EventName
from execsvc.logs import bound, plain_value
from execsvc.model.bot import Binding
from execsvc.model.market import plain, round_down
from execsvc.model.order import Fill, Intent, OrderState, Side
from execsvc.repeats import Repeats
from execsvc.store.bot_store import BotStore
from execsvc.store.orders import OrderRow

_VERBS = {Side.BUY: "bought", Side.SELL: "sold"}


class Record:
    """The execution log of one bot, with a copy in the service's log."""

    def __init__(self, bot_id: str, ledger: BotStore) -> None:
        self._bot_id = bot_id
        self._ledger = ledger
        self._logger = bound(bot_id=bot_id)
        self._repeats = Repeats()

    def bind(self, binding: Binding) -> None:
        """Name strategy, symbol and account in every line from now on."""
        self._logger = bound(self._bot_id, binding.strategy, binding.symbol, binding.key_id)

    def log(self, level: str, event: EventName, text: str, **data: Any) -> None:
        """Write one line at ``level`` and one row.

        A row that cannot be written does not stop the action that it describes: the records that
        trading depends on are the journal's and the ledger's own, and they raise.
        """
        fields = {name: plain_value(value) for name, value in data.items() if value is not None}
        self._logger.bind(event=event, **fields).opt(depth=1).log(level, text)
        try:
            self._ledger.log(now(), event, text, fields)
        except LedgerFailed as error:
            self._logger.bind(event="ledger_failed").error("execution log: {}", error)

    def intent(self, intent: Intent) -> None:
        """Record that an order is about to be sent, for BotService as well if it is to be reported.

        A row that cannot be written here is written when the order is booked.
        """
        self.log(
            "DEBUG",
            "order_intent",
            f"{intent.side.value} {plain(intent.amount)} {intent.symbol}: {intent.reason}",
            order_id=intent.client_order_id,
        )
        try:
            self._ledger.note_intent(intent)
        except LedgerFailed as error:
            self._logger.bind(event="ledger_failed").error("report to BotService: {}", error)

    def priced(self, intent: Intent, fill: Fill) -> None:
        """Record the source of the price of an order whose answer stated no price."""
        price = "unknown" if fill.price is None else plain(round_down(fill.price, 8))
        self.log(
            "INFO",
            "order_priced",
            f"the answer to {intent.side.value} {plain(intent.amount)} {intent.symbol} named no "
            f"average price: {price} by {fill.priced_by}",
            order_id=intent.client_order_id,
            average=fill.price,
        )

    def outcome(self, order: OrderRow) -> None:
        """Record the outcome of an order; a refusal that repeats is logged once a minute."""
        asked = f"{order.side.value} {plain(order.amount)} {order.symbol} ({order.reason})"
        event: EventName = "order_filled"
        level, text = "INFO", f"{_VERBS[order.side]} {_filled(order)}"
        if order.state is OrderState.CONTESTED:
            level, event = "WARNING", "order_booked_contested"
            text = f"contested {asked} booked as filled {plain(order.fill.filled)}"
        elif order.fill.filled == 0:
            level, event, text = "WARNING", "order_refused", f"{asked} not executed: {order.detail}"
            if self._repeats.note(order.detail, monotonic()) is None:
                level = "DEBUG"
        self.log(
            level,
            event,
            text,
            order_id=order.client_order_id,
            exchange_id=order.fill.exchange_id,
            side=order.side.value,
            amount=plain(order.amount),
            filled=plain(order.fill.filled),
            average=order.fill.price,
            base_fee=order.fill.base_fee,
            reason=order.reason,
        )

    def traceback(self, event: EventName, text: str, error: BaseException) -> None:
        """As :meth:`log` at ERROR, with the traceback of ``error`` in the log."""
        self._logger.bind(event=event).opt(exception=error, depth=1).error(text)
        try:
            self._ledger.log(now(), event, f"{text}: {error!r}", {})
        except LedgerFailed as failure:
            self._logger.bind(event="ledger_failed").error("execution log: {}", failure)


def _filled(order: OrderRow) -> str:
    part = "" if order.fill.filled == order.amount else f" of {plain(order.amount)}"
    price = order.fill.price
    at = "" if price is None else f" at {plain(round_down(price, 8))}"
    return f"{plain(order.fill.filled)}{part} {order.symbol}{at} ({order.reason})"
