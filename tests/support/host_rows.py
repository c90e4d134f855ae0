"""Rows of hosts, accounts and intents for the tests of :mod:`execsvc.hosts`."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from execsvc.hosts.membership import Membership
from execsvc.hosts.rows import AccountRecord, BeatAnswer, HostRecord, OpenIntent
from execsvc.hosts.timing import Timing

TIMING = Timing(order_timeout=30, settlement_window=10)
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
"""The database's clock, unless a test sets it."""


def host(
    host_id: str,
    *,
    epoch: int = 2,
    beat: int = 1,
    left: float = 10,
    closing: bool = False,
    draining: bool = False,
    incarnation: str = "",
) -> HostRecord:
    """A host whose lease expires ``left`` seconds after NOW."""
    expires_at = NOW + timedelta(seconds=left)
    life = incarnation or f"{host_id}/1"
    return HostRecord(host_id, life, epoch, closing, beat, expires_at, (7,), draining)


def answer(
    *hosts: HostRecord,
    accounts: tuple[AccountRecord, ...] = (),
    intents: tuple[OpenIntent, ...] = (),
    accepted: bool = True,
    timeline: tuple[int, int] = (1, 1),
    seconds: float = 0,
) -> BeatAnswer:
    """The answer to a beat, ``seconds`` after NOW by the database's clock.

    ``timeline`` is the one written on and the one acknowledged.
    """
    now = NOW + timedelta(seconds=seconds)
    return BeatAnswer(accepted, now, *timeline, 100, hosts, accounts, intents)


def member(host_id: str = "a", epoch: int = 2, sent: float = 0) -> Membership:
    """A host that joined at ``sent``."""
    return Membership.begin(host_id, TIMING).joined(f"{host_id}/1", epoch, sent)
