"""A copy that is open for writing: a transaction is recorded in the shared records, then in the copy.

The answer of the shared records decides. Recorded: the copy commits as well. Refused, or certainly not
recorded: the copy rolls back. Answer lost: the copy rolls back, and before its next use the shared records
are asked whether they have the write; the copy takes the same rows when they have.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType

from execsvc.clock import monotonic
from execsvc.errors import ClaimLost, LedgerFailed, LedgerUnavailable, WriteUnknown
from execsvc.store.postgresql.remote import Remote, Write
from execsvc.store.replicated import capture
from execsvc.store.replicated.copies import (
    NO_ACCOUNT,
    Copy,
    CopyClaim,
    binding_key,
    facts,
    is_current,
)
from execsvc.store.replicated.host_claims import HostClaims
from execsvc.store.replicated.sent_write import SentWrite
from execsvc.store.sqlite import faults
from execsvc.store.sqlite.database import query, transaction, writing

LONGEST_WAIT = 5.0
"""Seconds for which rows of transactions that are not durable may be missing in the shared records."""


class Replica:
    """One copy under the claims that this host had when the copy was opened."""

    def __init__(
        self,
        copy: Copy,
        remote: Remote,
        claims: HostClaims,
        fences: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Open the copy, which is to be filled; ``fences``: claims that are known, by account.

        Raises LedgerFailed.
        """
        self._copy = copy
        self._remote = remote
        self._claims = claims
        self._fences = dict(fences)
        """By account, the claim that this object writes under."""
        self._tables: dict[str, capture.Table] = {}
        self._sent_at = monotonic()
        self._settled = ""
        """The id of the sent write of which it is known that the copy has it."""
        self.connection = copy.connect()
        self._notes = False
        self._sent = SentWrite(copy.path)
        self.connection.check_claim = self._check_claim
        self.connection.record_elsewhere = self._record

    def is_filled(self) -> bool:
        """True when the copy was made for a claim that this host has. Raises LedgerFailed.

        The copy of a bot that is bound to an account of another host is never known to be up to date.
        """
        claim = self._claim()
        if not claim.key_id or not is_current(self.connection, claim):
            return False
        try:
            self._claims.check(*claim)
        except ClaimLost:
            return False
        except LedgerUnavailable:
            return True  # the claim may still be good, and then the copy is
        return True

    def fill(self, *, anew: bool) -> bool:
        """Let the copy be what the shared records hold, if it was not made for this claim, or ``anew``.

        Returns True when the copy was filled. Raises LedgerFailed.
        """
        with writing(self.connection, durable=False):
            if not anew and self.is_filled():
                return False
            if write_id := self._sent.write_id():
                self._remote.written(write_id)  # one on its way never arrives after this
            rows = self._remote.read(self._copy.kind, self._copy.owner)
            key_id = self._copy.owner if self._copy.kind == "account" else binding_key(rows)
            self._copy.fill(self.connection, rows, self._claim_on(key_id))
            if not rows:
                capture.note_all(self.connection)
            self._sent.clear()
        return True

    def begin(self) -> None:
        """Note the rows that are changed from now on: only then can they be. Raises LedgerFailed."""
        try:
            capture.begin(self.connection)
        except sqlite3.Error as error:
            raise faults.failed(f"{self._copy.path.name} cannot be written", error) from error
        self._notes = True

    def settle(self) -> None:
        """Decide a write whose answer was lost, if there is one. Raises LedgerFailed."""
        write_id = self._sent.write_id()
        if write_id in ("", self._settled) or self.connection.in_transaction:
            return
        if self._has(write_id):
            self._settled = write_id
            return
        with writing(self.connection, durable=False):
            # The writer of another process may have ended meanwhile.
            if (write_id := self._sent.write_id()) and not self._has(write_id):
                self._decide()

    def send(self) -> None:
        """Record what the shared records lack. Raises LedgerFailed."""
        with transaction(self.connection):
            pass

    def send_if_due(self) -> None:
        """Record what the shared records lack for LONGEST_WAIT seconds. Raises LedgerFailed."""
        if self._is_due():
            self.send()

    def close(self) -> None:
        """Close the copy."""
        self.connection.close()
        self._sent.close()

    def send_and_close(self) -> None:
        """Record what the shared records lack, if they can be reached, and close the copy.

        Without them the rows of the last transactions that are not durable are lost.
        """
        try:
            with suppress(LedgerFailed):
                self.settle()
                self.send()
        finally:
            self.close()

    def _check_claim(self) -> None:
        """Raise ClaimLost when the claim is known to be lost, or another claim has this copy now."""
        found = facts(self.connection)
        if found is None or not self._notes:
            raise LedgerFailed(f"{self._copy.path.name} is not ready")
        if self._sent.write_id() not in ("", found.last_write):
            raise LedgerUnavailable(f"{self._copy.path.name}: an earlier write is not decided yet")
        key_id, fence = found.claim
        if self._claim_on(key_id).fence != fence:
            raise ClaimLost(f"account {key_id} was claimed anew since: nothing is recorded")
        for known, number in self._fences.items():
            self._claims.check(known, number)

    def _record(self, durable: bool) -> None:
        """Send the changed rows, within a transaction; those that need not be durable wait a while."""
        capture.note_new_tables(self.connection)
        if not durable and not self._is_due():
            return
        rows = capture.without_nul(self.connection, capture.unsent(self.connection, self._tables))
        self._sent_at = monotonic()
        if not rows:
            return
        claim = self._claim()
        write = Write(uuid.uuid4().hex, self._copy.kind, self._copy.owner, *claim, rows)
        self._sent.put(write)
        try:
            self._remote.write(write)
        except WriteUnknown:
            if durable:
                raise
            return  # the copy has the rows; they are sent again if this write turns out to be lost
        except LedgerFailed as error:
            self._sent.clear()
            if durable or not isinstance(error, LedgerUnavailable):
                raise
            return
        self._note_recorded(write)

    def _decide(self) -> None:
        """Take the rows of the sent write if the shared records have them, with the write lock held."""
        try:
            write = self._sent.read()
        except LedgerUnavailable:
            raise
        except LedgerFailed:
            self._sent.clear()  # a process died before it had put all of it here, so before it sent it
            return
        if self._remote.written(write.write_id):
            capture.apply(self.connection, write.rows)
            self._note_recorded(write)
        else:
            self._sent.clear()

    def _note_recorded(self, write: Write) -> None:
        capture.forget_unsent(self.connection)
        self.connection.execute(
            "UPDATE copy_of SET key_id=?, fence=?, last_write=?",
            (write.key_id, write.fence, write.write_id),
        )

    def _has(self, write_id: str) -> bool:
        found = facts(self.connection)
        return found is not None and found.last_write == write_id

    def _is_due(self) -> bool:
        return monotonic() - self._sent_at >= LONGEST_WAIT

    def _claim(self) -> CopyClaim:
        """The claim under which the records are written at this moment."""
        if self._copy.kind == "account":
            return self._claim_on(self._copy.owner)
        found = query(self.connection, "SELECT key_id FROM bot")
        return self._claim_on((found[0]["key_id"] if found else None) or "")

    def _claim_on(self, key_id: str) -> CopyClaim:
        if not key_id:
            return NO_ACCOUNT
        if key_id not in self._fences:
            self._fences[key_id] = self._claims.fence(key_id)
        return CopyClaim(key_id, self._fences[key_id])
