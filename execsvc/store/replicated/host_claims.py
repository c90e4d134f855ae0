"""Interface of the claims of one host: the claims of a service, and whether they are good at this moment."""

from __future__ import annotations

from typing import Protocol

from execsvc.store.claims import AccountClaims, Holder


class HostClaims(AccountClaims, Protocol):
    """The claims on accounts of one host, as its lease and the shared records have them."""

    def check(self, key_id: str, fence: int) -> None:
        """Raise ClaimLost when the claim of this number is known to be lost, without a call to anywhere.

        Raises LedgerUnavailable while the host's lease is not certain.
        """
        ...

    def may_decide(self, client_order_id: str) -> bool:
        """True when an open order that was never seen to end may be called not executed."""
        ...

    def holder(self, key_id: str) -> Holder | None:
        """The host that has claimed the account ``key_id``; None when none has. Raises LedgerFailed."""
        ...

    def unusable(self) -> str | None:
        """The reason for which claims would mean nothing; None when they can be made."""
        ...
