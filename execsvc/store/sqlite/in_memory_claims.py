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
from execsvc.store.claims import Holder


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
