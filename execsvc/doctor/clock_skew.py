"""This machine's clock against those of the two services, by the ``Date`` of an answer."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from execsvc.clients.http import HttpClient
from execsvc.clock import now
from execsvc.doctor.finding import Finding, fault, passed, warning
from execsvc.errors import Unavailable

GRANULARITY = 1.0
"""Seconds: a ``Date`` has no fractions, they are cut off."""
WARN_AFTER = 1.0
FAULT_AFTER = 5.0
_CHECK = "clock"
_DO = "keep the clock synchronised: apt-get install chrony, or timedatectl set-ntp true"


def check(name: str, http: HttpClient) -> Finding:
    """The finding about our clock by that of the service behind ``http``."""
    sent = now()
    try:
        date = http.get_any_status("GET /", "/").date
    except Unavailable as error:
        return warning(_CHECK, f"{name} could not be asked for its time: {error}", _DO)
    return skew_finding(name, date, sent, now())


def skew_finding(name: str, date: str | None, sent: datetime, received: datetime) -> Finding:
    """The finding about an answer dated ``date``, to a request of ours."""
    server_time = _parse_date(date)
    if server_time is None:
        return warning(
            _CHECK,
            f"{name} sends no Date: its clock cannot be compared",
            "compare the clocks of both machines by hand: date -u",
        )
    seconds = skew(server_time, sent, received)
    behind = "behind" if seconds < 0 else "ahead of"
    if abs(seconds) <= WARN_AFTER:
        return passed(_CHECK, f"the clock of {name} agrees with ours, by the Date of its answer")
    what = f"{name}'s clock is at least {abs(seconds):.1f} s {behind} ours"
    do = f"{_DO}; on the machine of {name}, too"
    return fault(_CHECK, what, do) if abs(seconds) > FAULT_AFTER else warning(_CHECK, what, do)


def skew(server_time: datetime, sent: datetime, received: datetime) -> float:
    """Seconds by which the server's clock is certainly ahead of ours; negative when it is behind.

    ``server_time`` was taken between ``sent`` and ``received`` of our clock, and is up to
    ``GRANULARITY`` older than the time of the answer.
    """
    ahead = (server_time - received).total_seconds()
    behind = (sent - server_time).total_seconds() - GRANULARITY
    if ahead > 0:
        return ahead
    return -behind if behind > 0 else 0.0


def _parse_date(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, IndexError):
        return None
    # The zone "-0000" gives a time without a zone; a Date is in UTC in any case.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
