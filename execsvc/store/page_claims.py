"""The claims of one host on accounts, as its worker ``lease`` has written them into the shared page."""

from __future__ import annotations

from collections.abc import Collection

from execsvc.clock import monotonic
from execsvc.errors import ClaimLost, LedgerFailed, LedgerUnavailable
from execsvc.store.claims import Holder
from execsvc.store.lease_page import HostLeaseView, LeasePage


class PageClaims:
    """The claims of the host ``host_id``; no method asks the database."""

    def __init__(self, page: LeasePage, host_id: str) -> None:
        self._page = page
        self._host_id = host_id

    def take(self, key_id: str) -> str | None:
        """The reason why bots of the account must not run on this host; None when they may."""
        try:
            view = self._page.read()
        except LedgerUnavailable as error:
            return str(error)
        if key_id not in view.fences:
            owner = view.holders.get(key_id)
            if owner in (None, self._host_id):
                return f"account {key_id} waits for a host that takes it"
            return f"account {key_id} is with host {owner}"
        return None if monotonic() < view.ends else _waits(view)

    def fence(self, key_id: str) -> int:
        """The number of the claim of this host; 0 without one, under which nothing is written.

        Raises LedgerUnavailable where the lease of this host is not known.
        """
        return self._page.read().fences.get(key_id, 0)

    def check(self, key_id: str, fence: int) -> None:
        """Raise ClaimLost when the claim of this number is lost, LedgerUnavailable while that is open."""
        view = self._page.read()
        if view.fences.get(key_id) != fence:
            raise ClaimLost(f"account {key_id} is not with this host any more: nothing is recorded")
        if monotonic() >= view.deadline:
            raise LedgerUnavailable(_waits(view))

    def paused(self, key_id: str) -> str | None:
        """The reason why no order may be begun for the account at present; None when one may."""
        try:
            self.check(key_id, self.fence(key_id))
        except LedgerFailed as error:
            return str(error)
        return None

    def may_decide(self, client_order_id: str) -> bool:
        """True when an open order that was never seen to end may be called not executed."""
        return client_order_id in self._page.read().decidable

    def holder(self, key_id: str) -> Holder | None:
        """The host that has claimed the account; None when none has. Raises LedgerUnavailable."""
        owner = self._page.read().holders.get(key_id)
        return None if owner is None else Holder(f"host {owner}", owner == self._host_id)

    def unusable(self) -> str | None:
        """None: claims can be made."""
        return None

    def may_be_run_elsewhere(self, key_id: str, bot_id: str) -> bool:
        """True for an account that this host does not have."""
        return self.take(key_id) is not None

    def held_elsewhere(self, bot_ids: Collection[str]) -> set[str]:
        """None of them: the page knows accounts, not bots."""
        return set()

    def to_inherit(self, key_id: str) -> set[int]:
        """None: a claim is no open file."""
        return set()

    def keep_only(self, key_ids: Collection[str]) -> None:
        """Keep all claims: the worker ``lease`` gives them up."""


def _waits(view: HostLeaseView) -> str:
    if view.ends == 0.0:
        return "WAITING_STORE: this host has no lease on its accounts"
    return "WAITING_STORE: the store does not answer, no order is sent"
