"""Claims of a service on the accounts that it trades: the account is the unit of ownership."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Protocol


class Holder(NamedTuple):
    """The service that has claimed an account: the owner of its records and of those of its bots."""

    text: str
    """The service in words, for people."""
    is_ours: bool
    """True for the service whose store was asked."""


class AccountClaims(Protocol):
    """The accounts that one supervisor has claimed; its children keep its claims even if they outlive it."""

    def take(self, key_id: str) -> str | None:
        """Claim the account ``key_id``. Returns the reason why its bots must not run, None when they may."""
        ...

    def fence(self, key_id: str) -> int:
        """The number of the claim on ``key_id``: a write under a lower one is refused.

        The number grows from owner to owner. 0 where an account cannot be lost to another service while one
        of this service's processes works on it.
        """
        ...

    def paused(self, key_id: str) -> str | None:
        """The reason why no order may be begun for the account at present; None when one may."""
        ...

    def may_be_run_elsewhere(self, key_id: str, bot_id: str) -> bool:
        """False when the service that has claimed the account certainly does not run ``bot_id``."""
        ...

    def held_elsewhere(self, bot_ids: Collection[str]) -> set[str]:
        """Those of the bots of which another living service may hold a position, by its own record."""
        ...

    def to_inherit(self, key_id: str) -> set[int]:
        """The descriptors without which a process cannot work on the account; often none."""
        ...

    def keep_only(self, key_ids: Collection[str]) -> None:
        """Give up the claims on other accounts; try again to claim those of ``key_ids`` not held yet."""
        ...
