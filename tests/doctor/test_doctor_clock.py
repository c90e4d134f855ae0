"""What a Date says of our clock, and what it cannot say."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import responses

from execsvc.clients.http import HttpClient
from execsvc.clock import now
from execsvc.doctor.clock_skew import judge, look, skew
from execsvc.doctor.finding import Level

SENT = datetime(2026, 1, 2, 3, 4, 5, 300_000, tzinfo=timezone.utc)
RECEIVED = SENT + timedelta(seconds=0.4)


def dated(seconds: float) -> datetime:
    """The Date of a server whose clock is ahead by so many seconds, read off half way."""
    return (SENT + timedelta(seconds=0.2 + seconds)).replace(microsecond=0)


@pytest.mark.parametrize("seconds", [-0.4, -0.1, 0, 0.1, 0.4])
def test_a_clock_that_may_be_right_is_not_accused(seconds: float) -> None:
    assert skew(dated(seconds), SENT, RECEIVED) == 0


@pytest.mark.parametrize("seconds", [-86_400, -7.5, -3, 3, 7.5, 86_400])
def test_what_is_certain_is_said_and_never_more(seconds: float) -> None:
    found = skew(dated(seconds), SENT, RECEIVED)

    assert found * seconds > 0
    assert abs(seconds) - 1.4 <= abs(found) <= abs(seconds)


def test_a_slow_answer_says_less() -> None:
    late = SENT + timedelta(seconds=20)
    assert skew(dated(10), SENT, late) == 0
    assert skew(dated(30), SENT, late) > 9


@pytest.mark.parametrize(
    ("seconds", "level"),
    [
        (0, Level.OK),
        (1.1, Level.OK),
        (-1.1, Level.OK),
        (3, Level.WARNING),
        (-3, Level.WARNING),
        (7, Level.FAULT),
        (-7, Level.FAULT),
    ],
)
def test_a_second_warns_and_five_are_a_fault(seconds: float, level: Level) -> None:
    date = format_datetime(dated(seconds), usegmt=True)

    finding = judge("it", date, SENT, RECEIVED)

    assert finding.level is level
    assert ("behind" in finding.what) == (seconds < -2)
    assert ("ahead" in finding.what) == (seconds > 2)


@pytest.mark.parametrize("date", [None, "", "yesterday", "Fri, 99 Jan 2026 03:04:05 GMT"])
def test_no_date_is_a_warning(date: str | None) -> None:
    assert judge("it", date, SENT, RECEIVED).level is Level.WARNING


def test_a_date_without_a_zone_is_in_utc() -> None:
    assert judge("it", "Fri, 02 Jan 2026 03:04:05 -0000", SENT, RECEIVED).level is Level.OK


@responses.activate
@pytest.mark.parametrize(("ahead", "level"), [(0, Level.OK), (60, Level.FAULT)])
def test_a_service_is_asked_for_its_time(ahead: float, level: Level) -> None:
    date = format_datetime(now() + timedelta(seconds=ahead), usegmt=True)
    responses.get("http://service/api/", status=404, headers={"Date": date})

    assert look("it", HttpClient("http://service/api", None, 5.0)).level is level


@responses.activate
def test_a_service_that_is_not_there_has_no_time() -> None:
    assert look("it", HttpClient("http://service/api", None, 5.0)).level is Level.WARNING
