"""Signs in the records of others that a ledger was restored: of the machine, the journal, BotService."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple, Protocol

from execsvc.clients.order_history import PastOrder
from execsvc.clock import iso, monotonic, now
from execsvc.errors import LedgerFailed, Unavailable
from execsvc.logs import bound
from execsvc.model.bot import Binding, Mode
from execsvc.model.comparison import Discrepancy
from execsvc.store.account_store import AccountStore
from execsvc.store.bot_store import BotStore
from execsvc.store.doubt import Doubt, moved

_NEWER = timedelta(seconds=1)
"""Seconds by which an order must be newer than the ledger's last one: its time may have been
rounded.
"""
_ASK_AGAIN = 10.0
"""Seconds after which BotService is asked once more if it did not say which orders it knows."""


class History(Protocol):
    """The orders that BotService knows."""

    def newest(self, bot_id: str) -> PastOrder | None:
        """The order of ``bot_id`` that was sent last, None when none is known. Raises Unavailable."""
        ...


class StartOfService(NamedTuple):
    """The start of the service for which ledgers and accounts are compared once."""

    name: str
    """Different for each start; empty: no comparison."""
    history: History | None
    """None where BotService keeps no orders."""


class RestoreSigns:
    """Contests a bot's position where a record knows more than its ledger; each once for a start."""

    def __init__(
        self, ledger: BotStore, binding: Binding, journal: AccountStore, start: StartOfService
    ) -> None:
        self._bot_id = ledger.bot_id
        self._ledger = ledger
        self._binding = binding
        self._journal = journal
        self._start = start.name
        self._history = start.history
        self._ask_again_at: float | None = None

    @property
    def needs_bot_service(self) -> bool:
        """True where BotService keeps orders, so that it has to be asked."""
        return self._history is not None

    @property
    def is_unanswered(self) -> bool:
        """True while BotService did not answer, and is to be asked again."""
        return self._ask_again_at is not None

    @property
    def is_due(self) -> bool:
        """True when BotService is to be asked again now."""
        return self._ask_again_at is not None and monotonic() >= self._ask_again_at

    def check_machine(self) -> None:
        """Contest open positions while the state directory is recorded as another machine's.

        The start contests what is open and records this machine; it could not do so where a ledger
        or a journal was busy.
        """
        subject = f"machine of {self._bot_id}"
        if self._journal.is_compared(subject, self._start):
            return
        try:
            if not self._journal.is_of_another_machine():
                return
        except LedgerFailed:
            return  # unknown, which the start has logged
        decided = self._journal.decisions()
        held = [
            moved(self._bot_id, binding.symbol)
            for binding, position in self._ledger.open_positions()
            if (binding.mode, binding.key_id) == (Mode.LIVE, self._binding.key_id)
            and position.side == "BUY"
        ]
        if not held and self._ledger.position(self._binding).sold_short > 0:
            held = [moved(self._bot_id, self._binding.symbol)]
        self._journal.keep_doubts(held, self._start, [subject], decided)

    def check_journal(self) -> None:
        """Contest the position if the account's journal knows a booked order that its ledger lacks.

        That happens when the ledger alone was restored: the account agrees with its journal then. A
        ledger without any order is a new one, for an old one was archived or moved away.
        """
        subject = f"journal of {self._bot_id}"
        if self._journal.is_compared(subject, self._start):
            return
        decided = self._journal.decisions()
        known = self._ledger.newest_order()
        theirs = self._journal.newest_booked(self._bot_id)
        if known is None or theirs is None or self._ledger.is_booked(theirs[0]):
            return
        order_id, sent_at = theirs
        found = Doubt(
            bot_id=self._bot_id,
            symbol=self._binding.symbol,
            discrepancy=Discrepancy.CONTESTED,
            at=now(),
            detail=f"its account's journal knows an order ({order_id} of {iso(sent_at)}) that its "
            f"ledger has lost, whose last one is of {iso(known)}: the ledger was restored",
            order_at=sent_at,
        )
        self._journal.keep_doubts([found], self._start, [subject], decided)

    def check_bot_service(self) -> None:
        """Contest the position if BotService knows an order of the bot that is newer than its
        ledger.
        """
        subject = f"orders of {self._bot_id}"
        if self._history is None or self._journal.is_compared(subject, self._start):
            return
        asked_before, self._ask_again_at = self._ask_again_at is not None, None
        decided = self._journal.decisions()
        ours = [self._journal.known_order(self._bot_id), self._ledger.newest_order()]
        known = max((moment for moment in ours if moment is not None), default=None)
        if known is None:
            return  # a ledger without an order is a new one
        try:
            theirs = self._history.newest(self._bot_id)
        except Unavailable as error:
            # BotService cannot answer all of many bots that start at once.
            self._ask_again_at = monotonic() + _ASK_AGAIN
            if not asked_before:
                event = bound(bot_id=self._bot_id).bind(event="history_unknown")
                event.warning("BotService did not answer which orders it knows: {}", error)
            return
        found = []
        if theirs is not None and theirs.timestamp - known > _NEWER:
            found.append(self._newer_order(theirs, iso(known)))
        self._journal.keep_doubts(found, self._start, [subject], decided)

    def _newer_order(self, theirs: PastOrder, known: str) -> Doubt:
        order = f"{theirs.side} {theirs.quantity} {theirs.symbol} of {iso(theirs.timestamp)}"
        return Doubt(
            bot_id=self._bot_id,
            symbol=self._binding.symbol,
            discrepancy=Discrepancy.CONTESTED,
            at=now(),
            detail=f"BotService knows an order ({order[:100]}) that its ledger does not, whose last "
            f"one is of {known}: the state directory was restored",
            order_at=theirs.timestamp,
        )
