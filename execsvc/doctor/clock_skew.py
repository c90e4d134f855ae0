"""This machine's clock against those of the two services, by the ``Date`` of an answer."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from execsvc.clients.http import HttpClient
from execsvc.clock import now
from execsvc.doctor.finding import Finding, fault, warning, well
from execsvc.errors import Unavailable

GRANULARITY = 1.0
"""Seconds: a ``Date`` has no fractions, they are cut off."""
WARN_AFTER = 1.0
FAULT_AFTER = 5.0
_CHECK = "clock"
_DO = "let the machine keep time: apt-get install chrony, or timedatectl set-ntp true"


def look(name: str, http: HttpClient) -> Finding:
    """The finding about our clock by that of the service behind ``http``."""
    sent = now()
    try:
        date = http.get_any_status("GET /", "/").date
    except Unavailable as error:
        return warning(_CHECK, f"{name} could not be asked for its time: {error}", _DO)
    return judge(name, date, sent, now())


def judge(name: str, date: str | None, sent: datetime, received: datetime) -> Finding:
    """The finding about an answer dated ``date``, to a request of ours."""
    theirs = _moment(date)
    if theirs is None:
        return warning(
            _CHECK,
            f"{name} sends no Date: its clock cannot be compared",
            "compare the clocks of both machines by hand: date -u",
        )
    seconds = skew(theirs, sent, received)
    behind = "behind" if seconds < 0 else "ahead of"
    if abs(seconds) <= WARN_AFTER:
        return well(_CHECK, f"{name} has our time, as far as its Date tells")
    what = f"{name}'s clock is at least {abs(seconds):.1f} s {behind} ours"
    do = f"{_DO}; on the machine of {name} too"
    return fault(_CHECK, what, do) if abs(seconds) > FAULT_AFTER else warning(_CHECK, what, do)


def skew(theirs: datetime, sent: datetime, received: datetime) -> float:
    """Seconds by which their clock is ahead of ours for certain; negative when it is behind.

    ``theirs`` was read off between ``sent`` and ``received`` of our clock, and is up to
    ``GRANULARITY`` older than it says.
    """
    ahead = (theirs - received).total_seconds()
    behind = (sent - theirs).total_seconds() - GRANULARITY
    if ahead > 0:
        return ahead
    return -behind if behind > 0 else 0.0


def _moment(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, IndexError):
        return None
    # "-0000" makes it naive; a Date is in UTC whatever it says of that.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
