"""Notices that coins a bot tracks are no longer in the account, and books them as gone."""

from __future__ import annotations

from decimal import Decimal

from execsvc.clock import iso, moment, seconds_since
from execsvc.execution.ports import Services
from execsvc.model.bot import Binding
from execsvc.model.market import FLOAT_NOISE, ZERO, exact_sum, plain
from execsvc.model.order import LARGEST_BASE_FEE
from execsvc.model.position import Position
from execsvc.settings.checks import LONGEST_BETWEEN_READS
from execsvc.store.bot_facts import Missing


class GoneCoins:
    """Compares the tracked quantity to every balance that a sell reads while nothing is unsettled.

    Coins are gone when reads have missed them for ``GONE_AFTER`` seconds. Only the time between two
    successive reads counts that both missed them and were close together: while the machine was
    suspended, or the account could not be read, nothing is known of the coins.
    """

    def __init__(self, services: Services, binding: Binding) -> None:
        self._ledger = services.ledger
        self._binding = binding
        self._record = services.record
        self._gone_after = services.settings.gone_after

    def observe(
        self, position: Position, held: Decimal, released: bool, fees: Decimal = ZERO
    ) -> Position:
        """The position once coins are booked as gone that are missing for long enough.

        ``held`` is free and locked base of the account; ``released``: an operator has confirmed
        that missing coins are gone. A gap that fees can explain is booked at once: the ``fees``
        that other orders of the account paid in this coin, or as much as the position's own buy may
        have paid without reporting it.
        """
        if self.clear_if_held(position, held):
            return position
        missing = exact_sum(position.tracked, -held)
        if missing <= max(fees, position.tracked * LARGEST_BASE_FEE):
            return self._book_fees(position, missing)
        seen = self._seen_again()
        if seen is None:
            here = moment()
            seen = Missing(here.at, 0.0, here)
            self._record.log(
                "WARNING",
                "coins_missing",
                f"the account holds {plain(held)} {self._binding.base}, {plain(missing)} less than "
                f"the bot bought and did not sell",
                missing=plain(missing),
            )
        self._ledger.keep_missing(self._binding, seen)
        if not released and seen.counted < self._gone_after:
            return position
        return self._book(position, missing, iso(seen.since), released)

    def clear_if_held(self, position: Position, held: Decimal | None) -> bool:
        """True, and the gap forgotten, when the account holds what is tracked."""
        if held is None or exact_sum(position.tracked, -held) > position.tracked * FLOAT_NOISE:
            return False
        if self._ledger.missing(self._binding) is not None:
            self._ledger.keep_missing(self._binding, None)
        return True

    def _seen_again(self) -> Missing | None:
        """The gap as recorded before, with the time up to now; None when nothing was missing
        before.
        """
        before = self._ledger.missing(self._binding)
        if before is None:
            return None
        passed = seconds_since(before.seen)
        counts = passed if passed <= LONGEST_BETWEEN_READS else 0.0
        return Missing(before.since, before.counted + counts, moment())

    def _book_fees(self, position: Position, missing: Decimal) -> Position:
        left = position.without(missing)
        self._ledger.keep_position(self._binding, left)
        self._ledger.keep_missing(self._binding, None)
        self._record.log(
            "WARNING",
            "fees_booked",
            f"{plain(missing)} {self._binding.base} of what the bot bought went as fees: the account "
            f"holds {plain(left.tracked)}",
            missing=plain(missing),
        )
        return left

    def _book(self, position: Position, missing: Decimal, since: str, released: bool) -> Position:
        left = position.without(missing)
        self._ledger.keep_position(self._binding, left)
        self._ledger.keep_missing(self._binding, None)
        why = "released by an operator" if released else f"missing since {since}"
        self._record.log(
            "CRITICAL",
            "coins_gone",
            f"{plain(missing)} {self._binding.base} booked as gone: {why}",
            missing=plain(missing),
        )
        return left
