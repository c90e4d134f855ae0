"""Claims on accounts of a store in memory: unlike a lock of a file, a claim can be taken away.

Services that share such a store are as the hosts that share a database: a host that is taken for dead
loses its accounts while its processes may still run, and their writes must be in vain.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from execsvc.errors import ClaimLost
from execsvc.model.bot import Binding
from execsvc.store.claims import Holder
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.database import FencedConnection, query
from execsvc.store.sqlite.in_memory import InMemoryJournal, InMemoryLedger, InMemoryStore, Memory


class Claim(NamedTuple):
    """The latest claim on an account; ``owner`` is None once it was given up."""

    fence: int
    owner: ServiceClaims | None


@dataclass
class SharedClaims:
    """The claims of all services that share a store."""

    by_account: dict[str, Claim] = field(default_factory=dict)

    def fence(self, key_id: str) -> int:
        """The number of the latest claim on the account; 0 before the first."""
        claim = self.by_account.get(key_id)
        return 0 if claim is None else claim.fence

    def check(self, key_id: str, fence: int) -> None:
        """Raises ClaimLost when there was a claim on the account since the one of this number."""
        if self.fence(key_id) != fence:
            raise ClaimLost(f"account {key_id} was claimed by another service: nothing is recorded")


class ServiceClaims:
    """The claims of one service, which share nothing but ``shared`` with those of another."""

    def __init__(self, shared: SharedClaims) -> None:
        self.shared = shared
        self._fences: dict[str, int] = {}
        """The numbers of the claims that this service ever had."""
        self._wanted: set[str] = set()

    def take(self, key_id: str) -> str | None:
        """Claim the account ``key_id``. Returns the reason why its bots must not run, None when they may."""
        self._wanted.add(key_id)
        claim = self.shared.by_account.get(key_id)
        if claim is not None and claim.owner is self:
            return None
        if claim is not None and claim.owner is not None:
            return f"account {key_id} is traded by {_text()}; two services do not take turns"
        self.seize(key_id)
        return None

    def seize(self, key_id: str) -> None:
        """Claim the account ``key_id``, whose owner, if there is one, is taken for dead."""
        fence = self.shared.fence(key_id) + 1
        self._fences[key_id] = fence
        self.shared.by_account[key_id] = Claim(fence, self)

    def fence(self, key_id: str) -> int:
        """The number of the claim of this service; of the latest claim while no service has the account."""
        claim = self.shared.by_account.get(key_id)
        if claim is not None and claim.owner is None:
            return claim.fence
        return self._fences.get(key_id, 0)

    def paused(self, key_id: str) -> str | None:
        """None: no claim of these services is ever uncertain."""
        return None

    def holder(self, key_id: str) -> Holder | None:
        """The service that has claimed the account; None when none has."""
        claim = self.shared.by_account.get(key_id)
        if claim is None or claim.owner is None:
            return None
        return Holder(_text(), claim.owner is self)

    def elsewhere(self) -> set[str]:
        """The accounts that other services have claimed."""
        found = self.shared.by_account.items()
        return {key_id for key_id, claim in found if claim.owner not in (None, self)}

    def to_inherit(self, key_id: str) -> set[int]:
        """None: a claim in memory is no open file."""
        return set()

    def keep_only(self, key_ids: Collection[str]) -> None:
        """Give up the claims on other accounts; try again to claim those of ``key_ids`` not held yet."""
        self._wanted &= set(key_ids)
        for key_id, claim in self.shared.by_account.items():
            if claim.owner is self and key_id not in key_ids:
                self.shared.by_account[key_id] = Claim(claim.fence, None)
        for key_id in sorted(self._wanted):
            self.take(key_id)


def _text() -> str:
    """A service in words: all that share the memory are in this process."""
    return f"a service of this process (pid {os.getpid()})"


@dataclass
class ClaimedMemory(Memory):
    """Records that several services share, and their claims."""

    claims: SharedClaims = field(default_factory=SharedClaims)


class ClaimedInMemoryStore(InMemoryStore):
    """The records of one service on ``memory``, under claims of its own."""

    def __init__(self, memory: ClaimedMemory) -> None:
        super().__init__(memory)
        self.own_claims = InMemoryClaims(memory)

    def bot(self, bot_id: str, *, reports: bool = False) -> ClaimedLedger:
        """The records of ``bot_id``, to be opened."""
        return ClaimedLedger(self, bot_id, reports)

    def account(self, key_id: str) -> ClaimedJournal:
        """The records of the account ``key_id``, made at their first use."""
        return ClaimedJournal(self, key_id)

    def claims(self) -> InMemoryClaims:
        """The claims of this service."""
        return self.own_claims

    def holder(self, key_id: str) -> Holder | None:
        """The service that has claimed the account ``key_id``; None when none has."""
        return self.own_claims.holder(key_id)


class InMemoryClaims(ServiceClaims):
    """The claims of one service on the accounts of ``memory``."""

    def __init__(self, memory: ClaimedMemory) -> None:
        super().__init__(memory.claims)
        self._bots = memory.bots

    def may_be_run_elsewhere(self, key_id: str, bot_id: str) -> bool:
        """False when the service that has claimed the account certainly does not run ``bot_id``."""
        return key_id in self.elsewhere() and bot_id in self._bots

    def held_elsewhere(self, bot_ids: Collection[str]) -> set[str]:
        """Those of the bots that hold a position on an account which another service has claimed."""
        theirs = self.elsewhere()
        return {bot_id for bot_id in bot_ids if theirs & self._held_on(bot_id)}

    def _held_on(self, bot_id: str) -> set[str]:
        """The accounts on which the bot holds a position."""
        found = query(self._bots[bot_id], "SELECT * FROM position") if bot_id in self._bots else []
        return {row["key_id"] for row in found if not rows.position_of(row).is_flat}


class ClaimedLedger(InMemoryLedger):
    """The records of one bot, written under the claim on its account."""

    def __init__(self, store: ClaimedInMemoryStore, bot_id: str, reports: bool = False) -> None:
        super().__init__(store, bot_id, reports)
        self._claims = store.own_claims
        self._fences: dict[str, int] = {}
        """By account, the claim under which the records were opened."""

    def open(self) -> None:
        """Become the owner of the records. Raises LedgerBusy while another object is."""
        self._fences.clear()
        super().open()
        self._note_fence()

    @property
    def connection(self) -> FencedConnection:
        """The connection, which writes under the claim of this object while it is in use here."""
        connection = super().connection
        assert isinstance(connection, FencedConnection)
        connection.check_claim = self._check_claim
        return connection

    def bind(self, binding: Binding, precision: int | None) -> None:
        """Record the binding of the run that begins, under the claim on its account."""
        super().bind(binding, precision)
        self._note_fence()

    def _note_fence(self) -> None:
        """Remember the claim on the account that the bot is bound to, unless it is known."""
        bound = self.binding()
        if bound is not None:
            self._fences.setdefault(bound.key_id, self._claims.fence(bound.key_id))

    def _check_claim(self) -> None:
        """Raises ClaimLost when the account of the bot was claimed by another service since."""
        for key_id, fence in self._fences.items():
            self._claims.shared.check(key_id, fence)


class ClaimedJournal(InMemoryJournal):
    """The records of one account, written under the claim on the account."""

    def __init__(self, store: ClaimedInMemoryStore, key_id: str) -> None:
        super().__init__(store, key_id)
        self._shared = store.own_claims.shared
        self.fence = store.own_claims.fence(key_id)

    @property
    def connection(self) -> FencedConnection:
        """The connection, which writes under the claim of this object while it is in use here."""
        connection = super().connection
        assert isinstance(connection, FencedConnection)
        connection.check_claim = self._check_claim
        return connection

    def _check_claim(self) -> None:
        """Raises ClaimLost when the account was claimed by another service since."""
        self._shared.check(self.key_id, self.fence)
