"""The freeze after a failover of the database, which may have lost what it had confirmed."""

from __future__ import annotations

from dataclasses import dataclass

from execsvc.hosts.rows import BeatAnswer
from execsvc.hosts.timing import Timing


@dataclass(frozen=True)
class TimelineWatch:
    """The timeline of the database, and for how long this host has seen it.

    The cluster's row has the timeline that is acknowledged. While the database writes on another
    one, forward or back, all is frozen: no order, no takeover, no claim, no decision about an
    intent. The first host that has itself watched a full ``Timing.freeze`` acknowledges the
    timeline. A standby that was promoted has, by itself, the older acknowledgement: so a host that
    starts during a freeze knows of the freeze, and so does each statement that compares the two.
    """

    timing: Timing
    timeline: int = 0
    acknowledged: int = 0
    lsn: int = 0
    since: float = 0.0
    went_back: bool = False
    """The log went back on one timeline: an older copy of the database was put in its place."""

    def answered(self, answer: BeatAnswer, received: float) -> TimelineWatch:
        """This watch after an answer; the time counts from receiving it."""
        same_timeline = answer.timeline == self.timeline
        back = same_timeline and answer.lsn < self.lsn
        same = same_timeline and answer.acknowledged == self.acknowledged and not back
        return TimelineWatch(
            self.timing,
            answer.timeline,
            answer.acknowledged,
            answer.lsn,
            self.since if same else received,
            back or (self.went_back and same_timeline and answer.acknowledged != 0),
        )

    @property
    def frozen(self) -> bool:
        """True while nothing may be sent, taken over or decided."""
        return self.timeline != self.acknowledged or self.went_back

    @property
    def may_distrust(self) -> bool:
        """True when the acknowledgement has to be taken back, so that all hosts are frozen."""
        return self.went_back and self.timeline == self.acknowledged

    def may_acknowledge(self, now: float) -> bool:
        """True when this host has seen the new timeline for the whole freeze."""
        return self.timeline != self.acknowledged and now - self.since >= self.timing.freeze
