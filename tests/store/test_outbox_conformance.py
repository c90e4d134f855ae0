"""The records of the reports to BotService in every store, by its protocol alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from support.deadline import eventually
from support.ledger_samples import AT, BINDING, intent, order
from support.store_backends import Backend

from execsvc.errors import LedgerBusy, LedgerFailed
from execsvc.model.order import OrderState
from execsvc.model.order_report import ReportKind
from execsvc.store.bot_store import BotStore
from execsvc.store.outbox import BEFORE_MARKS, Deliveries, Mark
from execsvc.store.store import Store

LATER = AT + timedelta(minutes=1)
BOUGHT = [ReportKind.ORDER, ReportKind.SENT, ReportKind.EXECUTION, ReportKind.FILLED]


@pytest.fixture
def bot(service: Store) -> Iterator[BotStore]:
    """A bot whose orders are reported."""
    with closing(service.bot("b1", reports=True)) as made:
        made.open()
        made.bind(BINDING, None)
        yield made


@pytest.fixture
def deliveries(service: Store) -> Iterator[Deliveries]:
    """The record of deliveries, with its one writer."""
    with closing(service.deliveries()) as made:
        made.open()
        yield made


def test_bot_without_records_has_nothing_to_report(service: Store) -> None:
    outboxes = service.outboxes()
    name = outboxes.name_of("b1")
    assert name == service.name_of("b1")
    assert outboxes.changed() == []
    assert outboxes.waiting(name, None, 10) == ([], 0)
    assert outboxes.newest_start(name) is None


def test_rows_of_an_order_wait_in_the_order_of_their_delivery(
    service: Store, bot: BotStore
) -> None:
    outboxes, name = service.outboxes(), service.name_of("b1")
    bot.note_intent(intent())
    assert [row.mark.kind for row in outboxes.waiting(name, None, 10)[0]] == BOUGHT[:2]
    bot.book(BINDING, order(1))
    bot.book(BINDING, order(2, state=OrderState.NOT_EXECUTED, filled="0"))
    rows, count = outboxes.waiting(name, None, 10)
    assert count == len(rows) == 7
    assert [row.mark for row in rows[:4]] == [Mark("c1", kind) for kind in BOUGHT]
    assert [row.mark.kind for row in rows[4:]] == [
        ReportKind.ORDER,
        ReportKind.SENT,
        ReportKind.FAILED,
    ]
    assert json.loads(rows[0].body)["bot_id"] == "b1"
    assert json.loads(rows[1].body) is None
    assert outboxes.order_report(name, "c1") == rows[0].body
    with pytest.raises(LedgerFailed):
        outboxes.order_report(name, "c9")


def test_rows_wait_after_the_one_that_was_delivered_last(service: Store, bot: BotStore) -> None:
    outboxes, name = service.outboxes(), service.name_of("b1")
    bot.book(BINDING, order(1))
    rows, count = outboxes.waiting(name, Mark("c1", ReportKind.SENT), 1)
    assert ([row.mark.kind for row in rows], count) == ([ReportKind.EXECUTION], 2)
    assert outboxes.waiting(name, Mark("c1", ReportKind.FILLED), 9) == ([], 0)
    assert outboxes.waiting(name, Mark("c9", ReportKind.FILLED), 9)[1] == 4, (
        "other records: all wait"
    )


def test_changed_records_are_named_until_they_rest(service: Store, bot: BotStore) -> None:
    outboxes, name = service.outboxes(), service.name_of("b1")
    assert outboxes.changed() == [name]
    eventually(lambda: outboxes.changed() == [], "they rest")
    bot.book(BINDING, order(1))
    assert outboxes.changed() == [name]
    assert service.outboxes().changed() == [name], "each reader has its own last call"


def test_order_belongs_to_the_start_before_it(service: Store, bot: BotStore) -> None:
    outboxes, name = service.outboxes(), service.name_of("b1")
    bot.book(BINDING, order(1))
    assert outboxes.starts_since(name, "c1") == [BEFORE_MARKS]
    bot.note_start(booting=True)
    first = outboxes.newest_start(name)
    assert first is not None
    assert first.booting
    bot.book(BINDING, order(2))
    bot.note_start(booting=False)
    second = outboxes.newest_start(name)
    assert second is not None
    assert not second.booting
    assert outboxes.starts_since(name, "c1") == [BEFORE_MARKS, first, second]
    assert outboxes.starts_since(name, "c2") == [first, second]
    assert outboxes.starts_before(name, second) == [first]
    assert outboxes.starts_before(name, first) == []


def test_outboxes_of_bots_are_kept_apart(service: Store, bot: BotStore) -> None:
    bot.book(BINDING, order(1))
    bot.note_start(booting=False)
    with closing(service.bot("b2", reports=True)) as other:
        other.open()
    outboxes, name = service.outboxes(), service.name_of("b2")
    assert outboxes.waiting(name, None, 9) == ([], 0)
    assert outboxes.newest_start(name) is None


def test_deliveries_have_one_writer(backend: Backend, deliveries: Deliveries) -> None:
    with closing(backend.service().deliveries()) as other:
        with pytest.raises(LedgerBusy):
            other.open()
        deliveries.close()
        other.open()
    with closing(backend.apart().deliveries()) as apart:
        apart.open()


def test_nothing_is_delivered_at_first(deliveries: Deliveries) -> None:
    assert deliveries.mark("b") is None
    assert deliveries.last_at() is None
    assert deliveries.session("b", "s1") is None
    assert not deliveries.has_sessions()
    assert not deliveries.is_of_use()
    assert deliveries.unanswered_starts() == {}
    with pytest.raises(LedgerFailed):
        deliveries.given("c1")


def test_marks_and_ids_are_there_for_the_next_writer(
    backend: Backend, deliveries: Deliveries
) -> None:
    deliveries.delivered("b", Mark("c1", ReportKind.ORDER), '"x"', AT)
    deliveries.delivered("b", Mark("c1", ReportKind.SENT), None, AT)
    deliveries.delivered("other", Mark("c2", ReportKind.ORDER), "5", LATER)
    deliveries.keep_session("b", "s1", '"y"')
    deliveries.starting("b1", AT)
    deliveries.close()
    with closing(backend.service().deliveries()) as later:
        later.open()
        assert later.mark("b") == Mark("c1", ReportKind.SENT)
        assert (later.given("c1"), later.given("c2")) == ('"x"', "5")
        assert later.last_at() == LATER
        assert later.session("b", "s1") == '"y"'
        assert later.unanswered_starts() == {"b1": AT}
        assert later.is_of_use()


@pytest.mark.parametrize("last", [ReportKind.FILLED, ReportKind.FAILED])
def test_id_is_forgotten_with_the_last_row_that_needs_it(
    deliveries: Deliveries, last: ReportKind
) -> None:
    deliveries.delivered("b", Mark("c1", ReportKind.ORDER), '"x"', AT)
    deliveries.delivered("b", Mark("c1", ReportKind.EXECUTION), None, AT)
    deliveries.give_anew("c1", '"z"')
    assert deliveries.given("c1") == '"z"'
    deliveries.delivered("b", Mark("c1", last), None, AT)
    with pytest.raises(LedgerFailed, match="does not know the order c1"):
        deliveries.given("c1")


def test_session_is_known_until_it_is_forgotten(deliveries: Deliveries) -> None:
    deliveries.keep_session("b", "s0", "null")
    assert deliveries.session("b", "s0") == "null"
    assert not deliveries.has_sessions(), "BotService named none"
    deliveries.keep_session("b", "s1", "7")
    assert deliveries.has_sessions()
    assert deliveries.is_of_use()
    assert deliveries.session("other", "s1") is None
    deliveries.forget_session("b", "7")
    assert deliveries.session("b", "s1") is None
    assert deliveries.session("b", "s0") == "null"


def test_order_is_asked_for_once_until_its_id_is_given(deliveries: Deliveries) -> None:
    assert not deliveries.ask("c1")
    assert deliveries.ask("c1")
    assert not deliveries.ask("c2")
    deliveries.delivered("b", Mark("c1", ReportKind.ORDER), '"x"', AT)
    assert not deliveries.ask("c1")
    deliveries.give_anew("c1", '"y"')
    assert not deliveries.ask("c1")


def test_start_is_unanswered_until_its_answer(deliveries: Deliveries) -> None:
    deliveries.starting("b1", AT)
    deliveries.starting("b1", LATER)
    deliveries.starting("b2", AT)
    assert deliveries.unanswered_starts() == {"b1": LATER, "b2": AT}
    deliveries.start_answered("b1")
    deliveries.start_answered("unknown")
    assert deliveries.unanswered_starts() == {"b2": AT}


def test_service_knows_whether_reports_are_taken(service: Store, deliveries: Deliveries) -> None:
    assert service.takes_reports() is None
    deliveries.refused("404")
    assert service.takes_reports(0.0) is False
    deliveries.refused(None)
    assert service.takes_reports() is None
    deliveries.refused("404")
    deliveries.delivered("b", Mark("c1", ReportKind.ORDER), '"x"', AT)
    assert service.takes_reports() is True
