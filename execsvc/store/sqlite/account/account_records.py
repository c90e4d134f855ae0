"""All records of one account, by the names of :class:`execsvc.store.account_store.AccountStore`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from execsvc.store.doubt import Doubt
from execsvc.store.sqlite.account import doubts, fees, locked, releases
from execsvc.store.sqlite.account.account_tables import AccountTables


class AccountRecords(AccountTables):
    """The records of one account. Every method raises LedgerFailed."""

    def check_claim(self) -> None:
        """Do nothing: the lock of the account is held as long as this process lives."""

    def may_decide(self, client_order_id: str) -> bool:
        """True: no other host sends orders for the account."""
        return True

    def fees_paid(self, asset: str, since: datetime) -> Decimal:
        """Units of ``asset`` that orders on other markets have paid as fees since then."""
        return fees.paid_in(self.connection, asset, since)

    def locked(self) -> dict[str, Decimal]:
        """By asset, the amount locked when the order that filled it last was sent, as far as known."""
        return locked.amounts(self.connection)

    def expected_amounts(self) -> dict[str, Decimal]:
        """By asset, the balance that its last known fill left, less fees paid since."""
        return doubts.expected_amounts(self.connection)

    def forget_expected(self, symbol: str) -> None:
        """Expect nothing of the assets of ``symbol`` until its next fill."""
        doubts.forget_expected(self.connection, symbol)

    def doubts(self) -> list[Doubt]:
        """The doubts that are not decided, oldest first."""
        return doubts.doubts(self.connection)

    def contested_positions(self) -> list[Doubt]:
        """The doubts that wait for an operator, oldest first."""
        return doubts.contested(self.connection)

    def decisions(self) -> dict[str, int]:
        """The count of decisions on doubts, by bot."""
        return doubts.decisions(self.connection)

    def keep_doubts(
        self,
        found: Iterable[Doubt],
        start: str,
        compared: Iterable[str],
        decided: Mapping[str, int] | None = None,
    ) -> None:
        """Record the doubts that a comparison for this ``start`` of the service found, and its subjects."""
        doubts.keep(self.connection, found, start, compared, decided)

    def is_compared(self, subject: str, start: str) -> bool:
        """True once ``subject`` was compared for this start of the service."""
        return doubts.is_compared(self.connection, subject, start)

    def decide_doubts(self, bot_id: str) -> list[Doubt]:
        """Forget the doubts about ``bot_id``, as they are decided. Returns them."""
        return doubts.decide(self.connection, bot_id)

    def known_order(self, bot_id: str) -> datetime | None:
        """The time of the newest order of ``bot_id`` that is known, or that an operator has acknowledged."""
        return doubts.known_order(self.connection, bot_id)

    def newest_booked(self, bot_id: str) -> tuple[str, datetime] | None:
        """The newest filled order of ``bot_id`` that its ledger once had: id and time sent."""
        return doubts.newest_booked(self.connection, bot_id)

    def ask_release(self, bot_id: str, at: datetime) -> None:
        """Record the decision of an operator that missing coins of ``bot_id`` are gone."""
        releases.ask(self.connection, bot_id, at)

    def release_asked(self, bot_id: str) -> bool:
        """True while a release of ``bot_id`` by an operator is not carried out."""
        return releases.is_asked(self.connection, bot_id)

    def release_done(self, bot_id: str) -> None:
        """Record that a release of ``bot_id`` by an operator was carried out."""
        releases.forget(self.connection, bot_id)
