"""The supervisor's end of the processes for alerts and reports, without the processes."""

from __future__ import annotations

import selectors
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.facts import facts
from support.settings import settings
from support.stores import store_in

from execsvc.alerts.messages import stopped
from execsvc.alerts.outbox import MOST
from execsvc.supervisor.alert_dispatch import AlertDispatch
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.report_requests import ReportRequests


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as made:
        yield made


def context(folder: Path, **variables: str) -> Context:
    given = settings(**variables)
    store = store_in(folder)
    return Context(given, lambda *_: 0, store, store)


@pytest.mark.says("alert_dropped")
def test_an_alert_too_many_is_dropped_and_said(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    alerts = AlertDispatch(context(tmp_path, alert_urls="json://127.0.0.1:1/"), selector, facts)
    for _ in range(MOST + 1):
        alerts._put(stopped([], "vm"))
    assert len(alerts._outbox) == MOST


@pytest.mark.says("reports_unreadable")
def test_what_the_reports_process_writes_is_not_believed(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    given = context(tmp_path, report_ledger="true")
    reporting = ReportRequests(given, Bots(given), selector, lambda bot_id, at: None)
    before = reporting.document()
    reporting._receive(b'{"pending": "many"}')
    assert reporting.document() == before
