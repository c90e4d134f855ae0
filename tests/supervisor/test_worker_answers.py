"""The supervisor's end of the processes for alerts and reports, without the processes."""

from __future__ import annotations

import selectors
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.facts import facts
from support.parts import Parts
from support.settings import settings
from support.stores import store_in

from execsvc.alerts.messages import stopped
from execsvc.alerts.outbox import MOST
from execsvc.supervisor.alert_dispatch import AlertDispatch
from execsvc.supervisor.report_requests import ReportRequests


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as made:
        yield made


def parts(folder: Path, **variables: str) -> Parts:
    return Parts(settings(**variables), store_in(folder))


@pytest.mark.says("alert_dropped")
def test_an_alert_too_many_is_dropped_and_said(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    given = parts(tmp_path, alert_urls="json://127.0.0.1:1/")
    alerts = AlertDispatch(given.context, given.records.store, selector, facts)
    for _ in range(MOST + 1):
        alerts._put(stopped([], "vm"))
    assert len(alerts._outbox) == MOST


@pytest.mark.says("reports_unreadable")
def test_what_the_reports_process_writes_is_not_believed(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    given = parts(tmp_path, report_ledger="true")
    reporting = ReportRequests(
        given.context,
        given.records,
        given.fleet,
        given.bots,
        selector,
        lambda bot_id, at: None,
    )
    before = reporting.document()
    reporting._receive(b'{"pending": "many"}')
    assert reporting.document() == before
