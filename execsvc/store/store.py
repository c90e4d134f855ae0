"""Interface of a store, which opens the records of bots and accounts, and keeps those of the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from execsvc.store.account_store import AccountPause, AccountStore
from execsvc.store.bot_store import BotStore
from execsvc.store.claims import AccountClaims, Holder
from execsvc.store.outbox import Deliveries, Outboxes
from execsvc.store.service_store import ServiceStore


class BotRecordsStore(Protocol):
    """The part of a store that the process of one bot needs.

    Records are opened under the claims that the service has then (:class:`ClaimedStore`).
    """

    def bot(self, bot_id: str, *, reports: bool = False) -> BotStore:
        """The records of ``bot_id``, to be opened. With ``reports`` they have an outbox for BotService."""
        ...

    def account(self, key_id: str) -> AccountStore:
        """The records of the account ``key_id``, to be closed; opened at their first use."""
        ...

    def pause(self, key_id: str) -> AccountPause:
        """The times until which the account ``key_id`` is to be left alone."""
        ...


class ClaimedStore(BotRecordsStore, Protocol):
    """The records of bots and accounts, and the claims of services on the accounts."""

    def claims(self) -> AccountClaims:
        """The claims on accounts of this process, none at first."""
        ...

    def holder(self, key_id: str) -> Holder | None:
        """The service that has claimed the account ``key_id``; None when none has. Raises LedgerFailed."""
        ...


class Store(ClaimedStore, ServiceStore, Protocol):
    """All records that survive the processes of a service."""

    def outboxes(self) -> Outboxes:
        """The reports to BotService that wait in the records of all bots."""
        ...

    def deliveries(self) -> Deliveries:
        """The record of the deliveries of these reports, to be opened."""
        ...

    def while_waiting(self, call: Callable[[], object]) -> None:
        """Have ``call`` called once a second while this process waits for a lock."""
        ...
