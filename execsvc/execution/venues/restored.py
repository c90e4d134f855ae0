"""Detects, before the first order after a start, a ledger that may be older than its account.

By DESIGN's way of an order the account's turn is held, and nothing of it is unsettled.
"""

from __future__ import annotations

from execsvc.clock import now
from execsvc.errors import LedgerUnavailable, OrderRefused, Unavailable
from execsvc.execution.account import Account
from execsvc.execution.ports import Services
from execsvc.execution.venues.restore_signs import RestoreSigns, StartOfService
from execsvc.model.balance import Balance
from execsvc.model.bot import Binding, Mode
from execsvc.model.comparison import Discrepancy, OpenPosition, compare, held_of, is_readable
from execsvc.model.market import plain
from execsvc.model.order import Purpose
from execsvc.store.doubt import ACCOUNT, Doubt

_SHOWN = 500
"""Characters of a doubt that are reported."""


class RestoredLedger:
    """Compares a bot's ledger, and those of its account, with what the account holds.

    One comparison is made for each ``start``, by the first process that works on the account.
    """

    def __init__(
        self,
        services: Services,
        binding: Binding,
        account: Account,
        start: StartOfService,
    ) -> None:
        self._bot_id = services.bot_id
        self._binding = binding
        self._ledger = services.ledger
        self._account = account
        self._record = services.record
        self._reporter = services.reporter
        self._start = start.name
        self._signs = RestoreSigns(services.ledger, binding, account.journal, start)
        self._is_checked = not start.name
        self._is_kept = not start.name
        self._is_logged = False
        self._is_doubted = False

    @property
    def is_checked(self) -> bool:
        """True once this process knows whether the bot's position is in doubt."""
        return self._is_checked

    def show_record(self) -> None:
        """Report a contested position that is on record from an earlier start.

        To be called before this process shows itself as trading: until its first comparison, readers
        of /health would take the account for sound, and alerts would tell an all-clear.
        """
        self._show(_contested(self._own_doubts()))

    def skip_if_flat(self) -> None:
        """Skip the comparison where no bot of the account holds anything; needs no turn and no
        read.

        Raises Unavailable while another bot's ledger is busy.
        """
        if self._is_checked:
            return
        self._signs.check_machine()
        self._signs.check_journal()
        if self._signs.needs_bot_service:
            return
        journal = self._account.journal
        if not self._is_compared():
            if self._open_positions():
                return
            # Written down, so that a thousand bots of one account do not each read all ledgers.
            journal.keep_doubts([], self._start, [ACCOUNT])
        self.settle()
        self._is_checked = True

    def ask_bot_service(self, purpose: Purpose) -> None:
        """Ask BotService, unless it has answered; before an entry, ask again at once after a
        failure.

        To be called before the account's turn is taken: BotService may be away, and other bots of
        the account do not wait for it.
        """
        if not self._is_checked or (self._signs.is_unanswered and not purpose.outlasts_stop):
            self._signs.check_bot_service()

    def check(self, purpose: Purpose) -> None:
        """Compare, unless that was done for this start, and book the result for this bot.

        Within the account's turn, with nothing unsettled. Raises Unavailable, LedgerFailed.
        """
        if not self._is_checked:
            self._signs.check_machine()
            self._signs.check_journal()
            if not self._is_compared():
                positions = self._open_positions()
                if positions:  # else nothing to judge; the record is written with the first order
                    self._compare(positions, purpose)
            self._is_checked = True
        self.settle()

    def refuse_contested(self, purpose: Purpose) -> None:
        """As :meth:`check`, before an order. Raises OrderRefused while the account is contested."""
        if not self._is_checked:
            self._signs.check_machine()
            self._signs.check_journal()
        if not self._is_kept:
            if not self._is_compared():
                self._compare(self._open_positions(), purpose)
            self._keep_own()
            self._is_checked = self._is_kept = True
        self.settle()
        blocked = self.blocked()
        if blocked is not None:
            raise OrderRefused(blocked)

    def refresh(self) -> None:
        """Take over an operator's decisions since the last call; called on each tick, so it is
        cheap.
        """
        is_due = self._signs.is_due
        if is_due:
            self._signs.check_bot_service()
        if is_due or self._is_doubted:
            self.settle()

    def settle(self) -> None:
        """Book coins that are gone, also by an operator's decision, and show what waits for one."""
        journal = self._account.journal
        own = self._own_doubts()
        contested = _contested(own)
        released = bool(contested) and journal.release_asked(self._bot_id)
        if own and (released or not contested):
            for doubt in own:
                self._book_gone(doubt, released)
            journal.decide_doubts(self._bot_id)
            contested = []
        self._show(contested)
        if contested and not self._is_logged:
            self._is_logged = True
            for doubt in contested:
                self._record.log("CRITICAL", "position_contested", doubt.text)

    def blocked(self) -> str | None:
        """The reason for which nothing of the account is traded; None when it may be."""
        waiting = self._account.journal.contested_positions()
        if not waiting:
            return None
        own = [doubt for doubt in waiting if doubt.bot_id == self._bot_id]
        doubt = (own or waiting)[0]
        return doubt.text if own else f"bot {doubt.bot_id} of this account: {doubt.text}"

    def _own_doubts(self) -> list[Doubt]:
        return [doubt for doubt in self._account.journal.doubts() if doubt.bot_id == self._bot_id]

    def _show(self, contested: list[Doubt]) -> None:
        """Report ``contested``; what is shown is looked at on each tick, until it is decided."""
        self._is_doubted = bool(contested)
        self._reporter.update(doubt=contested[0].text[:_SHOWN] if contested else None)

    def _book_gone(self, doubt: Doubt, released: bool) -> None:
        for binding, position in self._ledger.open_positions():
            place = (binding.mode, binding.key_id, binding.symbol)
            if place != (Mode.LIVE, self._binding.key_id, doubt.symbol):
                continue
            gone = position.tracked
            left = position.without(gone)
            self._ledger.keep_position(binding, left)
            self._reporter.show_position(left)
            self._ledger.keep_missing(binding, None)
            why = "released by an operator, " if released else ""
            self._record.log(
                "CRITICAL",
                "coins_gone",
                f"{plain(gone)} {binding.base} booked as gone: {why}{doubt.detail}",
                missing=plain(gone),
            )
        self._drop_short(doubt)

    def _drop_short(self, doubt: Doubt) -> None:
        """Drop the short position: it may be bought back already, and the user would pay a second
        time.
        """
        binding = self._binding.model_copy(update={"symbol": doubt.symbol})
        position = self._ledger.position(binding)
        if position.sold_short == 0:
            return
        left = position.without_short()
        self._ledger.keep_position(binding, left)
        self._reporter.show_position(left)
        text = f"{plain(position.sold_short)} {binding.base} sold short is not bought back"
        self._record.log("WARNING", "short_dropped", f"{text}: {doubt.detail}")

    def _compare(self, positions: list[OpenPosition], purpose: Purpose) -> None:
        """Compare ``positions`` of the account with its balance, and record the doubts."""
        decided = self._account.journal.decisions()
        covered: list[str] = []
        found: list[Doubt] = []
        if positions:
            own = (self._binding.base, self._binding.quote)
            others = {asset for one in positions for asset in (one.base, one.quote)}
            balance = self._account.balance(own, purpose, others.difference(own))
            judged = [position for position in positions if is_readable(balance, position)]
            covered = [position.bot_id for position in judged]
            found = self._found(judged, balance)
            if found:
                found = self._seen_again(judged, own, purpose)
        subjects = [ACCOUNT, self._bot_id, *covered]
        self._account.journal.keep_doubts(found, self._start, subjects, decided)

    def _seen_again(
        self, positions: list[OpenPosition], own: tuple[str, str], purpose: Purpose
    ) -> list[Doubt]:
        """The doubts that all of several reads find; none once one read finds all that is tracked.

        One answer may lack a row, and an asset that is not listed is zero: a doubt outlives the
        process and waits for an operator, so all reads of a window have to agree.
        """
        for balance in self._account.balances(own, purpose):
            found = self._found(positions, balance)
            if not found:
                break
        return found

    def _open_positions(self) -> list[OpenPosition]:
        """Open positions of all bots of the account.

        Raises Unavailable while a ledger of them is busy.

        This bot's own ledger is fine then: it waits, as for a balance, and does not crash.
        """
        journal = self._account.journal
        try:
            return journal.open_positions()
        except LedgerUnavailable as busy:
            raise Unavailable(f"the positions of the account are unknown: {busy}") from busy

    def _keep_own(self) -> None:
        """Record that this bot is compared: its purchases from here on belong to this start."""
        journal = self._account.journal
        if not journal.is_compared(self._bot_id, self._start):
            journal.keep_doubts([], self._start, [self._bot_id])

    def _is_compared(self) -> bool:
        journal = self._account.journal
        if not journal.is_compared(ACCOUNT, self._start):
            return False
        is_open = any(
            (binding.mode, binding.key_id) == (Mode.LIVE, self._binding.key_id)
            for binding, position in self._ledger.open_positions()
            if position.side == "BUY"
        )
        return not is_open or journal.is_compared(self._bot_id, self._start)

    def _found(self, positions: list[OpenPosition], balance: Balance) -> list[Doubt]:
        journal = self._account.journal
        expected = journal.expected_amounts()
        actual = held_of(balance, positions, journal.locked())
        absent = compare(positions, expected, actual, {})
        if not absent:
            return []
        prices = {}
        for symbol in {position.symbol for position in absent}:
            try:
                prices[symbol] = self._account.adapter.ticker(symbol).price
            except Unavailable:
                continue  # the entry price is used instead
        discrepancies = compare(positions, expected, actual, prices)
        return [
            Doubt(
                bot_id=position.bot_id,
                symbol=position.symbol,
                discrepancy=discrepancy,
                at=now(),
                detail=position.detail(discrepancy),
            )
            for position, discrepancy in discrepancies.items()
        ]


def _contested(doubts: list[Doubt]) -> list[Doubt]:
    return [doubt for doubt in doubts if doubt.discrepancy is Discrepancy.CONTESTED]
