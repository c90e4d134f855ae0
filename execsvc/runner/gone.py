"""Notices that coins a bot tracks are no longer in the account, and books them as gone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from execsvc.clock import iso, now
from execsvc.ledger.bot_ledger import BotLedger
from execsvc.model.bot import Binding
from execsvc.model.market import FLOAT_NOISE, exact_sum, plain
from execsvc.model.position import Position
from execsvc.runner.record import Record


class GoneCoins:
    """Compares every balance a sell reads, with nothing unsettled, to what is tracked."""

    def __init__(
        self, ledger: BotLedger, binding: Binding, record: Record, gone_after: float
    ) -> None:
        self._ledger = ledger
        self._binding = binding
        self._record = record
        self._gone_after = timedelta(seconds=gone_after)

    def observe(self, position: Position, held: Decimal, released: bool) -> Position:
        """The position once coins are booked as gone that are missing for long enough.

        ``held`` is free and locked base of the account; ``released`` an operator's word.
        """
        if self.clear_if_held(position, held):
            return position
        missing = exact_sum(position.tracked, -held)
        since = self._ledger.gap_since(self._binding)
        if since is None or since > now():  # a clock that was set back begins anew
            since = now()
            self._ledger.keep_gap(self._binding, since)
            self._record.say(
                "WARNING",
                "coins_missing",
                f"the account holds {plain(held)} {self._binding.base}, {plain(missing)} less than "
                f"the bot bought and did not sell",
                missing=plain(missing),
            )
        if not released and now() - since < self._gone_after:
            return position
        return self._book(position, missing, iso(since), released)

    def clear_if_held(self, position: Position, held: Decimal | None) -> bool:
        """True, and the gap forgotten, when the account holds what is tracked."""
        if held is None or exact_sum(position.tracked, -held) > position.tracked * FLOAT_NOISE:
            return False
        if self._ledger.gap_since(self._binding) is not None:
            self._ledger.keep_gap(self._binding, None)
        return True

    def _book(self, position: Position, missing: Decimal, since: str, released: bool) -> Position:
        left = position.without(missing)
        self._ledger.keep_position(self._binding, left)
        self._ledger.keep_gap(self._binding, None)
        why = "released by an operator" if released else f"missing since {since}"
        self._record.say(
            "CRITICAL",
            "coins_gone",
            f"{plain(missing)} {self._binding.base} booked as gone: {why}",
            missing=plain(missing),
        )
        return left
