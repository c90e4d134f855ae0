"""The bots, accounts and decisions of other hosts, as one host sees them."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from support.ledger_samples import AT, BINDING, fill, intent
from support.store_backends import ReplicatedBackend

from execsvc.errors import ConfigRefused, LedgerFailed, LedgerUnavailable
from execsvc.model.order import OrderState
from execsvc.model.position import Position
from execsvc.store.replicated.journal_copy import JournalCopy
from execsvc.store.replicated.ledger_copy import LedgerCopy
from execsvc.store.replicated.store import SHARED
from execsvc.store.sqlite.paths import journal_path, ledger_path
from execsvc.store.sqlite.store import SqliteStore

HELD = Position(tracked=Decimal("0.02"), entry_price=Decimal(50000), opened_at=AT)


def test_state_of_a_bot_is_the_same_on_every_host(
    hosts: ReplicatedBackend, bot: LedgerCopy, account: JournalCopy
) -> None:
    one, two = hosts.service("one"), hosts.service("two")
    bot.keep_position(BINDING, HELD)
    account.begin(intent())
    state = one.read("b1")
    assert state is not None
    assert (state.position, state.unsettled) == (HELD, True)
    assert two.read("b1") == two.read_named(two.name_of("b1")) == state
    assert one.survey() == two.survey() == ([state], {})
    assert two.has_bot("b1")
    assert two.accounts() == ["k1"]
    assert two.newest_known_order("b1") == AT
    with two.reading_account("k1") as theirs:
        row = theirs.unsettled()
        assert row is not None
        assert row.intent == intent()


def test_execution_log_of_another_host_is_read(hosts: ReplicatedBackend, bot: LedgerCopy) -> None:
    bot.log(AT, "bot_flat", "text", {})
    bot.send()
    assert [row.text for row in hosts.service("two").read_log("b1")] == ["text"]


def test_old_copy_is_not_what_a_host_reads(hosts: ReplicatedBackend, bot: LedgerCopy) -> None:
    bot.close()
    hosts.seize("k1", "two")
    with closing(hosts.service("two").bot("b1")) as theirs:
        theirs.open()
        theirs.keep_position(BINDING, HELD)
    state = hosts.service("one").read("b1")
    assert state is not None
    assert state.position == HELD


def test_survey_says_that_other_hosts_are_unknown(
    hosts: ReplicatedBackend, bot: LedgerCopy
) -> None:
    hosts.shared.is_cut_off = True
    states, faults = hosts.service("one").survey()
    assert [state.bot_id for state in states] == ["b1"]
    assert list(faults) == [SHARED]
    with pytest.raises(LedgerFailed):
        hosts.service("two").read("b1")


def test_operator_is_sent_to_the_host_of_the_bot(
    hosts: ReplicatedBackend, bot: LedgerCopy, account: JournalCopy
) -> None:
    account.begin(intent())
    account.outcome("c1", OrderState.CONTESTED, fill(), AT)
    with pytest.raises(ConfigRefused, match="on that host"):
        hosts.service("two").settle("b1", Decimal("0.01"))
    hosts.service("one").settle("b1", Decimal("0.01"))
    assert account.row("c1").state is OrderState.EXECUTED


def test_operator_decides_on_a_host_that_has_just_taken_over(
    hosts: ReplicatedBackend, bot: LedgerCopy, account: JournalCopy
) -> None:
    account.begin(intent())
    account.outcome("c1", OrderState.CONTESTED, fill(), AT)
    hosts.seize("k1", "two")
    two = hosts.service("two")
    two.settle("b1", Decimal("0.01"))
    with closing(two.account("k1")) as theirs:
        assert theirs.row("c1").state is OrderState.EXECUTED


def test_dropped_account_has_no_copies_left(
    hosts: ReplicatedBackend, bot: LedgerCopy, account: JournalCopy
) -> None:
    bot.close()
    account.close()
    store, folder = hosts.service("one"), hosts.copies("one")
    store.drop("k1")
    assert not ledger_path(folder, "b1").exists()
    assert not journal_path(folder, "k1").exists()
    assert store.has_bot("b1")
    assert [state.bot_id for state in store.survey()[0]] == ["b1"]


def test_held_bots_of_two_hosts_are_all_recorded(hosts: ReplicatedBackend) -> None:
    one, two = hosts.service("one").held(), hosts.service("two").held()
    one.add("a", keeps=True)
    two.add("b", keeps=False)
    assert hosts.service("one").held().bots == {"a": True, "b": False}
    one.discard("a")
    two.write_again()
    assert hosts.service("two").held().bots == {"b": False}


def test_held_bot_that_another_host_records_meanwhile_is_kept(hosts: ReplicatedBackend) -> None:
    one, two = hosts.service("one").held(), hosts.service("two").held()
    shared = hosts.shared

    def decide_between() -> None:
        shared.before_replacing = lambda: None
        two.add("b", keeps=False)

    shared.before_replacing = decide_between
    one.add("a", keeps=True)
    assert hosts.service("one").held().bots == one.bots == {"a": True, "b": False}


def test_decision_that_could_not_be_recorded_is_recorded_later(hosts: ReplicatedBackend) -> None:
    held = hosts.service("one").held()
    hosts.shared.is_cut_off = True
    with pytest.raises(LedgerUnavailable):
        held.add("a", keeps=True)
    assert held.bots == {"a": True}
    hosts.shared.is_cut_off = False
    held.write_again()
    assert hosts.service("two").held().bots == {"a": True}


def test_halt_is_begun_and_ended_for_all_hosts(hosts: ReplicatedBackend) -> None:
    one, two = hosts.service("one").halt(), hosts.service("two").halt()
    one.begin("the exchange lies")
    assert not two.refresh()
    assert two.current == one.current
    two.end()
    assert not one.refresh()
    assert one.current is None


def test_halt_is_in_force_while_it_cannot_be_read(hosts: ReplicatedBackend) -> None:
    hosts.shared.is_cut_off = True
    halt = hosts.service("one").halt()
    assert halt.current is not None
    hosts.shared.is_cut_off = False
    assert not halt.refresh()
    assert halt.current is None


def test_ledger_of_a_service_that_ran_on_this_host_alone_is_left_as_it_is(
    hosts: ReplicatedBackend, tmp_path: Path
) -> None:
    store = hosts.service("one")
    alone = SqliteStore(tmp_path / "state-one", tmp_path / "run-one")
    with closing(alone.bot("b1")) as before:
        before.open()
        before.bind(BINDING, 5)
        before.keep_position(BINDING, HELD)
    with closing(store.bot("b1")) as bot:
        bot.open()
        assert bot.binding() is None
    state = alone.read("b1")
    assert state is not None
    assert state.position == HELD
