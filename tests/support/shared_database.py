"""The database of several hosts, simulated: each statement is one atomic call, as the SQL is.

A fenced statement checks and writes at once, unless it hangs between the two: then it lands later, at
the latest just before the second bump after its backend was terminated.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from support.host_rows import NOW

from execsvc.hosts import takeover
from execsvc.hosts.membership import AcknowledgeTimeline, DistrustTimeline
from execsvc.hosts.placement import ReleaseAccount, TakeAccount
from execsvc.hosts.rows import AccountRecord, BeatAnswer, HostRecord, OpenIntent
from execsvc.hosts.takeover import (
    BeginJoin,
    CloseEpoch,
    ExpireHost,
    FinishJoin,
    TerminateBackends,
)
from execsvc.hosts.timing import Timing


class Claim(NamedTuple):
    """The claim under which a write is made."""

    host_id: str
    epoch: int
    key_id: str
    fence: int


class Hanging(NamedTuple):
    """A write that has passed its check; ``land`` applies it."""

    claim: Claim
    land: Callable[[], object]


class Rows(NamedTuple):
    """The rows at one moment, as a standby may have them."""

    at: float
    lsn: int
    acknowledged: int
    hosts: dict[str, HostRecord]
    accounts: dict[str, AccountRecord]
    intents: dict[str, OpenIntent]


class SharedDatabase:
    """The primary; ``time`` returns the true time in seconds, which the database's clock follows."""

    def __init__(self, timing: Timing, time: Callable[[], float]) -> None:
        self.timing = timing
        self.time = time
        self.wall = 0.0
        self.is_down = False
        self.timeline = self.acknowledged = 1
        self.lsn = 1
        self.hosts: dict[str, HostRecord] = {}
        self.accounts: dict[str, AccountRecord] = {}
        self.intents: dict[str, OpenIntent] = {}
        self.hanging: list[Hanging] = []
        self.doomed: list[Hanging] = []
        self.standby: list[Rows] = []
        self.stale: list[str] = []
        """Writes that landed under a fence that was no longer the account's."""

    def now(self) -> datetime:
        """The database's clock."""
        return NOW + timedelta(seconds=self.time() + self.wall)

    # A host's own row.

    def read(self, accepted: bool = False) -> BeatAnswer:
        """All rows, as the answer to a beat."""
        return BeatAnswer(
            *(accepted, self.now(), self.timeline, self.acknowledged, self.lsn),
            *(tuple(rows.values()) for rows in (self.hosts, self.accounts)),
            tuple(self.intents.values()),
        )

    def beat(self, host_id: str, incarnation: str, epoch: int, draining: bool) -> BeatAnswer:
        """Count a beat, if the row is the host's; all rows, in any case."""
        row = self.hosts.get(host_id)
        if row is None or (row.incarnation, row.epoch, row.closing) != (incarnation, epoch, False):
            return self.read()
        self._set_host(row._replace(beat=row.beat + 1, expires_at=self._end(), draining=draining))
        return self.read(accepted=True)

    def begin_join(self, step: BeginJoin) -> bool:
        """First bump of the own epoch."""
        row = self.hosts.get(step.host_id)
        if row is None:
            row = HostRecord(step.host_id, "", 0, False, 0, self.now())
        if (row.incarnation, row.epoch) != (step.former_incarnation, step.former_epoch):
            return False
        self._set_host(
            row._replace(
                incarnation=step.incarnation, epoch=row.epoch + 1, closing=True, beat=row.beat + 1
            )
        )
        return True

    def finish_join(self, step: FinishJoin) -> bool:
        """Second bump of the own epoch."""
        row = self.hosts.get(step.host_id)
        if row is None or (row.incarnation, row.epoch) != (step.incarnation, step.epoch):
            return False
        self._land_doomed(step.host_id)
        self._set_host(
            row._replace(epoch=row.epoch + 1, closing=False, draining=False, expires_at=self._end())
        )
        return True

    # The end of another host's epoch.

    def expire(self, step: ExpireHost, timeline: int) -> bool:
        """First bump."""
        row = self.hosts.get(step.host_id)
        if not self._writable(timeline) or row is None or row.closing:
            return False
        if (row.incarnation, row.epoch, row.beat) != step[1:] or row.expires_at > self.now():
            return False
        self._set_host(row._replace(epoch=row.epoch + 1, closing=True))
        return True

    def terminate(self, step: TerminateBackends) -> bool:
        """Terminate: what hangs lands soon, or not at all (its host's world decides)."""
        ended = [write for write in self.hanging if write.claim.host_id == step.host_id]
        self.hanging = [write for write in self.hanging if write not in ended]
        self.doomed += ended
        return True

    def close(self, step: CloseEpoch, timeline: int) -> bool:
        """Second bump."""
        row = self.hosts.get(step.host_id)
        if not self._writable(timeline) or row is None:
            return False
        if (row.epoch, row.closing) != (step.epoch, True):
            return False
        self._land_doomed(step.host_id)
        self._set_host(row._replace(epoch=row.epoch + 1, closing=False))
        return True

    def _land_doomed(self, host_id: str) -> None:
        for write in [write for write in self.doomed if write.claim.host_id == host_id]:
            self.land(write)

    def land(self, write: Hanging) -> None:
        """Apply a write that hung; a record is kept when its claim has gone meanwhile."""
        for kept in (self.hanging, self.doomed):
            if write in kept:
                kept.remove(write)
        account = self.accounts.get(write.claim.key_id)
        if account is None or account.fence != write.claim.fence or account.owner is None:
            self.stale.append(f"{write.claim} landed on {account}")
        write.land()

    # Accounts.

    def take(self, step: TakeAccount, host_id: str, timeline: int) -> bool:
        """Claim an account."""
        row = self.accounts.get(step.key_id)
        if not self._writable(timeline) or row != step.row or not self._live(host_id, step.epoch):
            return False
        own = row is not None and (row.owner, row.owner_epoch) == (host_id, step.epoch)
        if own and self._locked(step.key_id):
            return False
        if row is not None and not own and not takeover.orphaned(row, self.read()):
            return False
        fence = 1 if row is None else row.fence + 1
        self.accounts[step.key_id] = AccountRecord(step.key_id, host_id, step.epoch, fence)
        self.lsn += 1
        return True

    def release(self, step: ReleaseAccount, timeline: int) -> bool:
        """Give up a claim; it waits in vain for a write that hangs on the account's row."""
        key = step.row.key_id
        if not self._writable(timeline) or self.accounts.get(key) != step.row:
            return False
        if key in self.intents or self._locked(key):
            return False
        self.accounts[key] = step.row._replace(owner=None)
        self.lsn += 1
        return True

    def _locked(self, key_id: str) -> bool:
        return any(write.claim.key_id == key_id for write in (*self.hanging, *self.doomed))

    # Intents.

    def fenced(self, claim: Claim) -> bool:
        """The check of each fenced write."""
        row = self.accounts.get(claim.key_id)
        return (
            self.timeline == self.acknowledged
            and row == AccountRecord(claim.key_id, claim.host_id, claim.epoch, claim.fence)
            and self._live(claim.host_id, claim.epoch)
        )

    def insert(self, key_id: str, intent_id: str) -> bool:
        """Make an intent, if the account has no open one."""
        if key_id in self.intents:
            return False
        self.intents[key_id] = OpenIntent(key_id, intent_id, "IN_FLIGHT", self.now())
        self.lsn += 1
        return True

    def close_intent(self, key_id: str, intent_id: str) -> bool:
        """Make an open intent final; an outcome is a fact, whichever host reports it."""
        open_intent = self.intents.get(key_id)
        if open_intent is None or open_intent.intent_id != intent_id:
            return False
        del self.intents[key_id]
        self.lsn += 1
        return True

    # Failover.

    def copy(self) -> None:
        """Let the standby have what is there now."""
        rows = (dict(self.hosts), dict(self.accounts), dict(self.intents))
        self.standby.append(Rows(self.time(), self.lsn, self.acknowledged, *rows))
        del self.standby[:-20]

    def fail_over(self, lost: float) -> None:
        """Promote a standby that lost the commits of the last ``lost`` seconds."""
        known = [rows for rows in self.standby if rows.at <= self.time() - lost] or self.standby[:1]
        if known:
            _, self.lsn, self.acknowledged, hosts, accounts, intents = known[-1]
            self.hosts, self.accounts, self.intents = dict(hosts), dict(accounts), dict(intents)
        self.standby.clear()
        self.hanging.clear()
        self.doomed.clear()
        self.timeline += 1

    def freeze(self, step: AcknowledgeTimeline | DistrustTimeline) -> bool:
        """Acknowledge or distrust the timeline."""
        if step.timeline != self.timeline:
            return False
        if isinstance(step, DistrustTimeline):
            self.acknowledged = 0
        elif step.former == self.acknowledged:
            self.acknowledged = step.timeline
        self.lsn += 1
        return True

    def _writable(self, timeline: int) -> bool:
        return timeline == self.timeline == self.acknowledged

    def _live(self, host_id: str, epoch: int) -> bool:
        row = self.hosts.get(host_id)
        return (
            row is not None
            and (row.epoch, row.closing) == (epoch, False)
            and row.expires_at > self.now()
        )

    def _set_host(self, row: HostRecord) -> None:
        self.hosts[row.host_id] = row
        self.lsn += 1

    def _end(self) -> datetime:
        return self.now() + timedelta(seconds=self.timing.ttl)
