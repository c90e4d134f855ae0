"""The records of an account on this host: a copy that the processes of its bots share.

With the account, the copies of all bots that ever had an order on it are made: what they track counts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from execsvc.model.order import Intent
from execsvc.store.postgresql.remote import Remote
from execsvc.store.replicated.copies import bots_of, copy_of_account, copy_of_bot
from execsvc.store.replicated.host_claims import HostClaims
from execsvc.store.replicated.replica import Replica
from execsvc.store.sqlite.account.account_journal import AccountJournal


class JournalCopy(AccountJournal):
    """The records of one account, which the shared records hold. Every method raises LedgerFailed."""

    def __init__(self, state_dir: Path, key_id: str, remote: Remote, claims: HostClaims) -> None:
        super().__init__(state_dir, key_id)
        self._remote = remote
        self._claims = claims
        self._replica: Replica | None = None
        self.fence = claims.fence(key_id)

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, once it is known what became of a write whose answer was lost."""
        if self._replica is not None:
            self._replica.settle()
        return super().connection

    def begin(self, intent: Intent, in_orders: Mapping[str, Decimal] | None = None) -> None:
        """Record an intent that is about to be sent; ``in_orders``: the locked amount of each asset."""
        self._claims.check(self.key_id, self.fence)  # what the copy says of other orders may be old
        super().begin(intent, in_orders)

    def check_claim(self) -> None:
        """Raise ClaimLost or LedgerUnavailable when no order may be sent for the account at present."""
        self._claims.check(self.key_id, self.fence)

    def may_decide(self, client_order_id: str) -> bool:
        """False while another host may still be sending this open order, by the rules of hosts."""
        return self._claims.may_decide(client_order_id)

    def is_of_another_machine(self) -> bool:
        """False: the shared records are of no machine."""
        return False

    def send(self) -> None:
        """Record what the shared records lack, if anything."""
        if self._replica is not None:
            self._replica.settle()
            self._replica.send()

    def send_if_due(self) -> None:
        """Record what the shared records lack for some seconds, if anything."""
        if self._replica is not None:
            self._replica.settle()
            self._replica.send_if_due()

    def close(self) -> None:
        """Send what the shared records lack, close the copy and release the turn."""
        if self._replica is not None:
            self._replica.send_and_close()
            self._replica = None
        super().close()

    def _tracked(self, asset: str) -> Decimal:
        """Base units of ``asset`` that bots track on the account, by copies that are made first."""
        self._open()
        return super()._tracked(asset)

    def _tracked_by(self, bot_ids: Iterable[str], asset: str) -> Decimal:
        """As :meth:`_tracked`, of ``bot_ids`` alone."""
        self._open()
        return super()._tracked_by(bot_ids, asset)

    def _open(self) -> None:
        """Make the copies of the account and its bots, unless they are made."""
        _ = self.connection

    def _connect(self) -> sqlite3.Connection:
        copy = copy_of_account(self._state_dir, self.key_id)
        replica = Replica(copy, self._remote, self._claims, {self.key_id: self.fence})
        try:
            replica.settle()
            if not replica.is_filled():
                self._make_bots()
                replica.fill(anew=False)
            replica.begin()
        except BaseException:
            replica.close()
            raise
        self._replica = replica
        return replica.connection

    def _make_bots(self) -> None:
        """Make the copies of the account's bots before its own, so that an account with a copy has them."""
        for bot_id in bots_of(self._remote.read("account", self.key_id)):
            copy = copy_of_bot(self._state_dir, bot_id)
            with closing(Replica(copy, self._remote, self._claims)) as replica:
                replica.fill(anew=False)
