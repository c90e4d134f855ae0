"""Deliveries that the next host of a bot goes on with."""

from __future__ import annotations

from contextlib import closing

import pytest
from support.ledger_samples import AT, BINDING, order
from support.store_backends import ReplicatedBackend

from execsvc.clock import SimulatedClock, installed
from execsvc.errors import LedgerUnavailable
from execsvc.model.order_report import ReportKind
from execsvc.store.outbox import Deliveries, Mark
from execsvc.store.replicated.shared_deliveries import LONGEST_DELAY
from execsvc.store.replicated.store import ReplicatedStore


def opened(store: ReplicatedStore) -> closing[Deliveries]:
    deliveries: Deliveries = store.deliveries()
    deliveries.open()
    return closing(deliveries)


def test_next_host_goes_on_after_the_row_that_was_delivered_last(hosts: ReplicatedBackend) -> None:
    with opened(hosts.service("one")) as ours:
        assert ours.mark("b") is None
        ours.keep_session("b", "s1", '"session"')
        ours.delivered("b", Mark("c1", ReportKind.ORDER), '"x"', AT)
        ours.delivered("b", Mark("c1", ReportKind.SENT), None, AT)
    with opened(hosts.service("two")) as theirs:
        assert theirs.mark("b") == Mark("c1", ReportKind.SENT)
        assert theirs.given("c1") == '"x"'
        assert theirs.session("b", "s1") == '"session"'
        theirs.delivered("b", Mark("c1", ReportKind.FILLED), None, AT)
    with opened(hosts.service("one")) as ours:
        assert ours.mark("b") == Mark("c1", ReportKind.FILLED)


def test_new_id_is_shared_at_once_and_a_mark_within_seconds(hosts: ReplicatedBackend) -> None:
    clock = SimulatedClock(AT)
    with (
        installed(clock),
        opened(hosts.service("one")) as ours,
        opened(hosts.service("two")) as theirs,
    ):
        ours.delivered("b", Mark("c1", ReportKind.ORDER), '"x"', AT)
        assert theirs.mark("b") == Mark("c1", ReportKind.ORDER)
        ours.delivered("b", Mark("c1", ReportKind.SENT), None, AT)
        assert theirs.mark("b") == Mark("c1", ReportKind.ORDER)
        clock.advance(LONGEST_DELAY)
        ours.delivered("b", Mark("c1", ReportKind.EXECUTION), None, AT)
        assert theirs.mark("b") == Mark("c1", ReportKind.EXECUTION)


def test_nothing_is_delivered_while_it_is_unknown_what_was(hosts: ReplicatedBackend) -> None:
    with opened(hosts.service("one")) as ours:
        hosts.shared.is_cut_off = True
        with pytest.raises(LedgerUnavailable):
            ours.mark("b")
        ours.delivered("b", Mark("c1", ReportKind.ORDER), '"x"', AT)
        hosts.shared.is_cut_off = False
        assert ours.mark("b") == Mark("c1", ReportKind.ORDER)
    with opened(hosts.service("two")) as theirs:
        assert theirs.mark("b") == Mark("c1", ReportKind.ORDER)


def test_row_of_an_outbox_is_not_delivered_before_the_shared_records_have_it(
    hosts: ReplicatedBackend,
) -> None:
    store = hosts.service("one")
    with closing(store.bot("b1", reports=True)) as bot:
        bot.open()
        bot.bind(BINDING, None)
        bot.book(BINDING, order(1))
        outboxes, name = store.outboxes(), store.name_of("b1")
        assert outboxes.waiting(name, None, 10)[1] == 4
        intent = order(2)
        hosts.shared.is_cut_off = True
        bot.note_intent(intent)  # type: ignore[arg-type] # the outbox takes either
        rows, count = outboxes.waiting(name, None, 10)
        assert (len(rows), count) == (4, 4)
        hosts.shared.is_cut_off = False
        rows, count = outboxes.waiting(name, None, 10)
        assert (len(rows), count) == (6, 6)
        bot.book(BINDING, intent)
        assert outboxes.waiting(name, None, 10)[1] == 8
