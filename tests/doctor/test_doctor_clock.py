"""The skew of two clocks, by the Date of an answer."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import responses

from execsvc.clients.http import HttpClient
from execsvc.clock import now
from execsvc.doctor.clock_skew import check, skew, skew_finding
from execsvc.doctor.finding import FindingLevel

SENT = datetime(2026, 1, 2, 3, 4, 5, 300_000, tzinfo=timezone.utc)
RECEIVED = SENT + timedelta(seconds=0.4)


def dated(seconds: float) -> datetime:
    """The Date of a server whose clock is ahead by so many seconds, read off half way."""
    return (SENT + timedelta(seconds=0.2 + seconds)).replace(microsecond=0)


@pytest.mark.parametrize("seconds", [-0.4, -0.1, 0, 0.1, 0.4])
def test_a_clock_that_may_be_right_has_no_skew(seconds: float) -> None:
    assert skew(dated(seconds), SENT, RECEIVED) == 0


@pytest.mark.parametrize("seconds", [-86_400, -7.5, -3, 3, 7.5, 86_400])
def test_skew_is_at_most_the_true_one(seconds: float) -> None:
    found = skew(dated(seconds), SENT, RECEIVED)

    assert found * seconds > 0
    assert abs(seconds) - 1.4 <= abs(found) <= abs(seconds)


def test_skew_of_a_slow_answer_is_smaller() -> None:
    late = SENT + timedelta(seconds=20)
    assert skew(dated(10), SENT, late) == 0
    assert skew(dated(30), SENT, late) > 9


@pytest.mark.parametrize(
    ("seconds", "level"),
    [
        (0, FindingLevel.OK),
        (1.1, FindingLevel.OK),
        (-1.1, FindingLevel.OK),
        (3, FindingLevel.WARNING),
        (-3, FindingLevel.WARNING),
        (7, FindingLevel.FAULT),
        (-7, FindingLevel.FAULT),
    ],
)
def test_a_second_warns_and_five_are_a_fault(seconds: float, level: FindingLevel) -> None:
    date = format_datetime(dated(seconds), usegmt=True)

    finding = skew_finding("it", date, SENT, RECEIVED)

    assert finding.level is level
    assert ("behind" in finding.what) == (seconds < -2)
    assert ("ahead" in finding.what) == (seconds > 2)


@pytest.mark.parametrize("date", [None, "", "yesterday", "Fri, 99 Jan 2026 03:04:05 GMT"])
def test_no_date_is_a_warning(date: str | None) -> None:
    assert skew_finding("it", date, SENT, RECEIVED).level is FindingLevel.WARNING


def test_a_date_without_a_zone_is_in_utc() -> None:
    assert (
        skew_finding("it", "Fri, 02 Jan 2026 03:04:05 -0000", SENT, RECEIVED).level
        is FindingLevel.OK
    )


@responses.activate
@pytest.mark.parametrize(("ahead", "level"), [(0, FindingLevel.OK), (60, FindingLevel.FAULT)])
def test_check_reads_the_date_of_any_answer(ahead: float, level: FindingLevel) -> None:
    date = format_datetime(now() + timedelta(seconds=ahead), usegmt=True)
    responses.get("http://service/api/", status=404, headers={"Date": date})

    assert check("it", HttpClient("http://service/api", None, 5.0)).level is level


@responses.activate
def test_check_of_an_unreachable_service_is_a_warning() -> None:
    assert check("it", HttpClient("http://service/api", None, 5.0)).level is FindingLevel.WARNING
