"""Interface of a store: what opens the records of bots and accounts, and keeps those of the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from execsvc.store.account_store import AccountPause, AccountStore
from execsvc.store.bot_store import BotStore
from execsvc.store.claims import AccountClaims
from execsvc.store.outbox import Deliveries, Outboxes
from execsvc.store.service_store import ServiceStore


class BotRecordsStore(Protocol):
    """What the process of one bot needs of a store."""

    def bot(self, bot_id: str, *, reports: bool = False) -> BotStore:
        """The records of ``bot_id``, to be opened. With ``reports`` they keep what BotService is told."""
        ...

    def account(self, key_id: str) -> AccountStore:
        """The records of the account ``key_id``, to be closed; opened at their first use."""
        ...

    def pause(self, key_id: str) -> AccountPause:
        """The times until which the account ``key_id`` is to be left alone."""
        ...


class Store(BotRecordsStore, ServiceStore, Protocol):
    """All that survives the processes of a service."""

    def claims(self) -> AccountClaims:
        """The claims on accounts of this process, none at first."""
        ...

    def outboxes(self) -> Outboxes:
        """What waits in the records of all bots to be told BotService."""
        ...

    def deliveries(self) -> Deliveries:
        """How far that was delivered, to be opened."""
        ...

    def while_waiting(self, call: Callable[[], object]) -> None:
        """Have ``call`` called in this process once a second while it waits for a lock."""
        ...
