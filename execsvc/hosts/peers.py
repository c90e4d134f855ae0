"""The other hosts, as this host has itself seen them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from execsvc.hosts.rows import BeatAnswer, HostRecord
from execsvc.hosts.timing import Timing


class SeenHost(NamedTuple):
    """A host's row, and since when this host has seen parts of it unchanged (CLOCK_BOOTTIME)."""

    incarnation: str
    beat: int
    draining: bool
    unchanged_since: float
    """Of incarnation and beat: silence. A bump of the epoch by another host is no sign of life."""
    settled_since: float
    """Of incarnation and draining: accounts are moved to a host that stays as it is."""


@dataclass(frozen=True)
class Peers:
    """The rows of all hosts over time, this host's own among them.

    Silence counts from *receiving* the answer that first showed a beat: the beat is no younger.
    It counts only while this host itself gets answers: after an outage of the database, each host
    gets a full TTL to beat again.
    """

    timing: Timing
    seen: Mapping[str, SeenHost] = field(default_factory=dict)
    received: float | None = None

    def answered(self, answer: BeatAnswer, received: float) -> Peers:
        """These peers after an answer."""
        was_cut_off = self.received is None or received - self.received >= self.timing.self_fence
        seen = {
            row.host_id: self._watched(row, received, was_cut_off=was_cut_off)
            for row in answer.hosts
        }
        return Peers(self.timing, seen, received)

    def _watched(self, row: HostRecord, received: float, *, was_cut_off: bool) -> SeenHost:
        silence = settled = received
        before = self.seen.get(row.host_id)
        if before is not None and before.incarnation == row.incarnation:
            if before.beat == row.beat and not was_cut_off:
                silence = before.unchanged_since
            if before.draining == row.draining:
                settled = before.settled_since
        return SeenHost(row.incarnation, row.beat, row.draining, silence, settled)

    def silent_for(self, host_id: str, now: float) -> float:
        """Seconds for which this host has seen the beat of ``host_id`` unchanged."""
        seen = self.seen.get(host_id)
        return 0.0 if seen is None else max(now - seen.unchanged_since, 0.0)

    def settled_for(self, host_id: str, now: float) -> float:
        """Seconds for which this host has seen ``host_id`` in one life, draining or not."""
        seen = self.seen.get(host_id)
        return 0.0 if seen is None else max(now - seen.settled_since, 0.0)

    def dead(self, answer: BeatAnswer, row: HostRecord, now: float) -> bool:
        """True when the database says expired **and** this host has seen the beat unchanged for TTL.

        Either clock alone may have been set, or have run while the other stood still.
        """
        return answer.expired(row) and self.silent_for(row.host_id, now) >= self.timing.ttl
