"""The records of a service in every store, by its protocol alone."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest
from support.ledger_samples import AT, BINDING, fill, intent, order
from support.store_backends import Backend

from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.model.bot import Mode
from execsvc.model.comparison import Discrepancy
from execsvc.model.order import OrderState
from execsvc.model.position import Position
from execsvc.store.doubt import Doubt
from execsvc.store.store import Store
from execsvc.store.tripped import STOP_LOSS, Tripped

D = Decimal
HELD = Position(tracked=D("0.02"), entry_price=D(50000), opened_at=AT)
PAPER = BINDING.model_copy(update={"mode": Mode.PAPER})


def holds(store: Store, bot_id: str = "b1", position: Position = HELD) -> None:
    """Let the records of ``bot_id`` say that it ran, and holds so much."""
    with closing(store.bot(bot_id)) as bot:
        bot.open()
        bot.bind(BINDING, None)
        bot.keep_position(BINDING, position)


def contests(store: Store, bot_id: str = "b1", number: int = 1) -> None:
    """Let an order of ``bot_id`` be contested."""
    with closing(store.account("k1")) as account:
        account.begin(intent(number, bot_id=bot_id))
        account.outcome(f"c{number}", OrderState.CONTESTED, fill(), AT)


def doubts(store: Store, bot_id: str = "b1") -> None:
    """Let the position of ``bot_id`` be contested."""
    found = Doubt(
        bot_id=bot_id, symbol="BTC/USDT", discrepancy=Discrepancy.CONTESTED, at=AT, detail="lower"
    )
    with closing(store.account("k1")) as account:
        account.keep_doubts([found], "start", [])


def test_service_that_never_ran_has_no_records(service: Store) -> None:
    assert not service.is_taken()
    assert service.taken_by() is None
    assert service.holder("k1") is None
    assert service.claims_unusable() is None
    assert service.held().bots == {}
    assert service.held().damage is None
    assert service.halt().current is None
    assert service.halt().damage is None
    assert service.sent_alerts().read() is None
    assert not service.has_bot("b1")
    assert service.read("b1") is None
    assert service.read_named(service.name_of("b1")) is None
    assert service.survey() == ([], {})
    assert service.accounts() == []
    assert service.count_accounts() == 0
    assert service.check(()) == {}
    assert not service.release_waits("b1")
    assert not service.is_of_another_machine()
    assert not service.contest_if_moved()
    assert service.takes_reports() is None
    with pytest.raises(LedgerFailed):
        service.read_log("b1")


def test_service_has_one_supervisor_at_a_time(backend: Backend) -> None:
    first, second = backend.service(), backend.service()
    assert first.take()
    assert not second.take()
    assert second.is_taken()
    assert second.taken_by() == os.getpid()
    assert backend.apart().take(), "another service has a supervisor of its own"


def test_place_of_the_records_is_described(service: Store) -> None:
    place = service.place()
    holds(service)
    assert place.name
    assert place.exists()
    assert place.is_readable()
    assert place.not_owned_by(os.geteuid()) == []
    assert service.name_of("b1") in place.record(service.name_of("b1"))
    disk = place.disk()
    assert disk is None or disk.free >= 0
    assert service.held().name
    assert service.halt().name


def test_room_is_kept_and_given_up_without_an_error(service: Store) -> None:
    service.keep_room()
    service.keep_room()
    service.make_room()


def test_held_bots_are_there_for_the_next_process(backend: Backend, service: Store) -> None:
    held = service.held()
    held.add("a/b", keeps=True)
    held.add("c", keeps=False)
    held.add("d", keeps=False)
    held.discard("d")
    held.discard("unknown")
    held.write_again()
    assert held.bots == backend.service().held().bots == {"a/b": True, "c": False}
    assert not held.is_suspect("c")
    assert backend.apart().held().bots == {}


def test_suspects_are_held_until_a_decision(service: Store) -> None:
    held = service.held()
    held.suspect(["a", "b"])
    assert held.bots == {"a": True, "b": True}
    assert held.is_suspect("a")
    held.discard("a")
    assert held.bots == {"b": True}
    assert not held.is_suspect("a")


def test_halt_is_in_force_for_every_process_until_its_end(backend: Backend, service: Store) -> None:
    halt, other = service.halt(), backend.service().halt()
    halt.begin("the exchange lies")
    assert not other.refresh()
    assert halt.current is not None
    assert halt.current.reason == "the exchange lies"
    assert other.current == backend.service().halt().current == halt.current
    assert backend.apart().halt().current is None
    halt.end()
    assert halt.current is None
    assert backend.service().halt().current is None


def test_halt_with_another_reason_keeps_its_beginning(service: Store) -> None:
    halt = service.halt()
    halt.begin(None)
    first = halt.current
    halt.begin("again")
    assert first is not None
    assert halt.current is not None
    assert (halt.current.since, halt.current.reason) == (first.since, "again")


def test_halt_that_another_process_ended_is_recorded_again(
    backend: Backend, service: Store
) -> None:
    halt = service.halt()
    halt.begin("first")
    backend.service().halt().end()
    assert halt.refresh()
    assert not halt.refresh()
    assert backend.service().halt().current == halt.current


def test_document_of_alerts_is_replaced_as_a_whole(backend: Backend, service: Store) -> None:
    sent = service.sent_alerts()
    sent.write(b"a long document")
    sent.write(b"short")
    assert backend.service().sent_alerts().read() == b"short"
    assert sent.name
    assert sent.place


def test_state_of_a_bot_is_read_by_id_and_by_name(service: Store) -> None:
    holds(service, "a/b")
    assert service.has_bot("a/b")
    state = service.read("a/b")
    assert state is not None
    assert (state.bot_id, state.binding, state.position) == ("a/b", BINDING, HELD)
    assert state.is_open
    assert not state.unsettled
    assert state.contested == 0
    assert state.doubt is None
    assert service.read_named(service.name_of("a/b")) == state
    assert service.survey() == ([state], {})
    assert service.check(()) == {}


def test_names_of_bots_differ_and_stay(backend: Backend, service: Store) -> None:
    names = {service.name_of(bot_id) for bot_id in ("a/b", "a_b", "a b")}
    assert len(names) == 3
    assert backend.service().name_of("a/b") in names


def test_flat_bot_with_an_unsettled_order_is_open(service: Store) -> None:
    holds(service, position=Position())
    with closing(service.account("k1")) as account:
        account.begin(intent())
    state = service.read("b1")
    assert state is not None
    assert state.unsettled
    assert state.is_open


def test_contested_orders_and_doubts_are_in_the_state(service: Store) -> None:
    holds(service)
    contests(service)
    doubts(service)
    state = service.read("b1")
    assert state is not None
    assert state.contested == 1
    assert state.doubt is not None
    assert "lower" in state.doubt


def test_execution_log_is_read_from_a_row_on(service: Store) -> None:
    with closing(service.bot("b1")) as bot:
        bot.open()
        for number in (1, 2, 3):
            bot.log(AT, "bot_flat", f"row {number}", {"number": number})
    rows = service.read_log("b1")
    assert [row.text for row in rows] == ["row 1", "row 2", "row 3"]
    assert (rows[0].event, rows[0].data) == ("bot_flat", {"number": 1})
    assert [row.text for row in service.read_log("b1", rows[1].seq)] == ["row 3"]


def test_newest_order_is_known_by_the_bot_or_by_an_account(service: Store) -> None:
    with closing(service.bot("b1")) as bot:
        bot.open()
        assert service.newest_known_order("b1") is None
        bot.book(BINDING, order(1))
    assert service.newest_known_order("b1") == AT
    later = AT + timedelta(minutes=1)
    with closing(service.account("k1")) as account:
        account.begin(intent(2).model_copy(update={"created_at": later}))
    assert service.newest_known_order("b1") == later


def test_accounts_are_listed_and_read_without_a_write(service: Store) -> None:
    with closing(service.account("k1")) as account:
        account.begin(intent())
    assert service.accounts() == ["k1"]
    assert service.count_accounts() == 1
    with service.reading_account("k1") as reading:
        row = reading.unsettled()
        assert row is not None
        assert row.intent == intent()
        with pytest.raises(LedgerFailed):
            reading.outcome("c1", OrderState.EXECUTED, fill(), AT)
    with closing(service.account("k1")) as account:
        assert account.unsettled() is not None


def test_contested_orders_are_decided_by_an_operator_oldest_first(service: Store) -> None:
    contests(service, number=1)
    contests(service, number=2)
    with pytest.raises(ConfigRefused):
        service.settle("b1", D("0.03"))
    assert "1 more contested" in service.settle("b1", D("0.01"))
    assert "c2" in service.settle("b1", D(0))
    with pytest.raises(ConfigRefused):
        service.settle("b1", D(0))
    with closing(service.account("k1")) as account:
        assert account.row("c1").fill.filled == D("0.01")
        assert account.row("c2").state is OrderState.NOT_EXECUTED


def test_release_of_an_open_position_waits_for_its_process(service: Store) -> None:
    with pytest.raises(ConfigRefused):
        service.release("b1")
    holds(service)
    assert "b1" in service.release("b1")
    assert service.release_waits("b1")
    with closing(service.account("k1")) as account:
        assert account.release_asked("b1")
        account.release_done("b1")
    assert not service.release_waits("b1")


def test_release_of_a_flat_bot_decides_its_doubts(service: Store) -> None:
    holds(service, position=Position())
    doubts(service)
    service.release("b1")
    state = service.read("b1")
    assert state is not None
    assert state.doubt is None


def test_contested_coins_are_kept_by_an_operator_once(service: Store) -> None:
    holds(service)
    doubts(service)
    assert "BTC/USDT" in service.keep("b1")
    with pytest.raises(ConfigRefused):
        service.keep("b1")
    state = service.read("b1")
    assert state is not None
    assert (state.doubt, state.position) == (None, HELD)


def test_stop_loss_keeps_a_bot_from_entering_until_it_may_again(service: Store) -> None:
    service.allow_reentry("unknown")
    with closing(service.bot("b1")) as bot:
        bot.open()
        bot.keep_guard(Tripped(STOP_LOSS, "5", AT, "lost"))
        state = service.read("b1")
        assert state is not None
        assert state.stop_loss is not None
        assert not bot.may_reenter()
        service.allow_reentry("b1")
        state = service.read("b1")
        assert state is not None
        assert state.stop_loss is None
        assert bot.may_reenter()
        assert not bot.may_reenter(), "the permission is for once"


def test_release_on_paper_lets_the_bot_enter_again(service: Store) -> None:
    with closing(service.bot("b1")) as bot:
        bot.open()
        bot.bind(PAPER, None)
        service.release("b1")
        assert bot.may_reenter()


def test_services_keep_their_records_apart(backend: Backend, service: Store) -> None:
    holds(service)
    other = backend.apart()
    assert not other.has_bot("b1")
    assert other.survey() == ([], {})
    assert other.accounts() == []
