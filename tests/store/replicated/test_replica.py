"""A copy and the answers of the shared records: recorded, refused, not recorded, lost."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import pytest
from support.dumps import dump
from support.ledger_samples import AT, BINDING, fill, intent, order
from support.shared_memory import Fault
from support.store_backends import ReplicatedBackend

from execsvc import failpoints
from execsvc.clock import SimulatedClock, installed
from execsvc.errors import (
    ClaimLost,
    LedgerFailed,
    LedgerUnavailable,
    StopRequested,
    WriteUnknown,
)
from execsvc.failpoints import Failpoint
from execsvc.model.order import OrderState
from execsvc.model.position import Position
from execsvc.store.replicated.copies import NO_ACCOUNT, claim_of
from execsvc.store.replicated.journal_copy import JournalCopy
from execsvc.store.replicated.ledger_copy import LedgerCopy
from execsvc.store.replicated.replica import LONGEST_WAIT
from execsvc.store.sqlite.paths import ledger_path


class Killed(BaseException):
    """The end of a process, as far as one process can show it."""


def test_write_that_the_fence_refuses_changes_nothing_in_the_copy(
    hosts: ReplicatedBackend, bot: LedgerCopy, account: JournalCopy
) -> None:
    before = dump(bot.connection), dump(account.connection)
    with hosts.shared.failing(Fault.REFUSED):
        with pytest.raises(ClaimLost):
            bot.book(BINDING, order(1))
        with pytest.raises(ClaimLost):
            account.begin(intent())
    assert (dump(bot.connection), dump(account.connection)) == before


def test_write_that_is_certainly_not_recorded_changes_nothing_and_may_be_tried_again(
    hosts: ReplicatedBackend, bot: LedgerCopy
) -> None:
    before = dump(bot.connection)
    with hosts.shared.failing(Fault.NOT_REACHED), pytest.raises(LedgerUnavailable) as failed:
        bot.book(BINDING, order(1))
    assert not isinstance(failed.value, WriteUnknown)
    assert dump(bot.connection) == before
    assert bot.book(BINDING, order(1)).tracked > 0


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.LOST_REQUEST])
def test_write_without_an_answer_is_in_the_copy_exactly_if_it_is_recorded(
    hosts: ReplicatedBackend, bot: LedgerCopy, fault: Fault
) -> None:
    with hosts.shared.failing(fault), pytest.raises(LedgerUnavailable):
        bot.book(BINDING, order(1))
    is_recorded = fault is Fault.LOST_ANSWER
    assert bot.is_booked("c1") is is_recorded
    assert (bot.position(BINDING).tracked > 0) is is_recorded
    bot.book(BINDING, order(1))
    assert_equal_after_takeover(hosts, bot)


def test_copy_is_not_used_until_the_fate_of_its_last_write_is_known(
    hosts: ReplicatedBackend, account: JournalCopy
) -> None:
    with hosts.shared.failing(Fault.LOST_ANSWER), pytest.raises(LedgerUnavailable):
        account.begin(intent())
    hosts.shared.is_cut_off = True
    with pytest.raises(LedgerUnavailable):
        account.unsettled()
    with closing(hosts.service("one").account("k1")) as other, pytest.raises(LedgerUnavailable):
        other.unsettled()
    hosts.shared.is_cut_off = False
    row = account.unsettled()
    assert row is not None
    assert row.intent == intent()


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.LOST_REQUEST])
def test_write_of_another_process_is_decided_before_the_copy_is_used(
    hosts: ReplicatedBackend, account: JournalCopy, fault: Fault
) -> None:
    with closing(hosts.service("one").account("k1")) as other:
        assert other.unsettled() is None
        with hosts.shared.failing(fault), pytest.raises(LedgerUnavailable):
            account.begin(intent())
        assert (other.unsettled() is not None) is (fault is Fault.LOST_ANSWER)
        assert dump(other.connection) == dump(account.connection)


def test_wait_for_the_answer_that_is_cut_short_is_as_an_answer_that_is_lost(
    hosts: ReplicatedBackend, bot: LedgerCopy
) -> None:
    def stop() -> None:
        raise StopRequested

    hosts.shared.before_answer = stop
    with pytest.raises(StopRequested):
        bot.book(BINDING, order(1))
    hosts.shared.before_answer = lambda: None
    assert bot.is_booked("c1")
    assert_equal_after_takeover(hosts, bot)


@pytest.mark.parametrize("name", ["one", "two"])
def test_process_killed_between_the_records_and_the_commit_leaves_the_order_to_the_next(
    hosts: ReplicatedBackend, account: JournalCopy, name: str
) -> None:
    kill_before_commit(lambda: account.begin(intent()))
    if name == "two":
        hosts.seize("k1", "two")
    with closing(hosts.service(name).account("k1")) as later:
        row = later.unsettled()
        assert row is not None
        assert row.intent == intent()
        later.outcome("c1", OrderState.EXECUTED, fill(), AT)


def test_process_killed_before_the_records_have_the_write_leaves_nothing(
    hosts: ReplicatedBackend, account: JournalCopy
) -> None:
    with hosts.shared.failing(Fault.LOST_REQUEST), pytest.raises(WriteUnknown):
        account.begin(intent())
    with closing(hosts.service("one").account("k1")) as later:
        assert later.unsettled() is None
        later.begin(intent(2))


def kill_before_commit(write: object) -> None:
    """Let the process end when the shared records have the write and the copy does not."""
    assert callable(write)

    def kill(point: Failpoint) -> None:
        if point is Failpoint.BEFORE_COMMIT:
            raise Killed

    failpoints.watch(kill)
    try:
        with pytest.raises(Killed):
            write()
    finally:
        failpoints.watch(None)


def assert_equal_after_takeover(hosts: ReplicatedBackend, bot: LedgerCopy) -> None:
    """The copy of a successor is equal to this one, to the digit."""
    hosts.seize("k1", "two")
    with closing(hosts.service("two").bot("b1")) as theirs:
        theirs.open()
        assert dump(theirs.connection) == dump(bot.connection)


def test_copies_of_two_hosts_are_equal_after_a_takeover(
    hosts: ReplicatedBackend, bot: LedgerCopy, account: JournalCopy
) -> None:
    for number in (1, 2):
        account.begin(intent(number))
        account.outcome(f"c{number}", OrderState.EXECUTED, fill(), AT)
        bot.book(BINDING, order(number), '{"loops":1}')
        account.adopted(f"c{number}")
    hosts.seize("k1", "two")
    with closing(hosts.service("two").account("k1")) as theirs:
        assert dump(theirs.connection) == dump(account.connection)
        assert theirs.tracked_by_all("BTC") == account.tracked_by_all("BTC") > 0
    with closing(hosts.service("two").bot("b1")) as successor:
        successor.open()
        assert dump(successor.connection) == dump(bot.connection)


def test_account_is_opened_with_the_bots_that_hold_its_coins(
    hosts: ReplicatedBackend, bot: LedgerCopy, account: JournalCopy
) -> None:
    account.begin(intent(1))
    account.outcome("c1", OrderState.EXECUTED, fill(), AT)
    bot.book(BINDING, order(1))
    account.adopted("c1")
    hosts.seize("k1", "two")
    with closing(hosts.service("two").account("k1")) as theirs:
        assert [one.bot_id for one in theirs.open_positions()] == ["b1"]
        assert theirs.not_to_be_spent("BTC") == order(1).fill.filled


def test_bot_is_not_bound_to_another_account_by_a_host_that_lacks_the_first_one(
    hosts: ReplicatedBackend, bot: LedgerCopy
) -> None:
    """The host of the first account may still run the bot."""
    hosts.seize("k2", "two")
    with closing(hosts.service("two").bot("b1")) as theirs:
        theirs.open()
        with pytest.raises(ClaimLost):
            theirs.bind(BINDING.model_copy(update={"key_id": "k2"}), 5)
    assert bot.binding() == BINDING


def test_coins_of_a_bot_that_is_bound_elsewhere_are_read_anew_with_the_account(
    hosts: ReplicatedBackend, bot: LedgerCopy, account: JournalCopy
) -> None:
    """Its copy was made for a claim of another host, which goes on to write it."""
    account.begin(intent(1))
    account.outcome("c1", OrderState.EXECUTED, fill(), AT)
    account.adopted("c1")
    on_k2 = BINDING.model_copy(update={"key_id": "k2"})
    hosts.seize("k2", "one")
    bot.bind(on_k2, 5)
    bot.close()
    hosts.seize("k2", "two")
    with closing(hosts.service("two").bot("b1")) as theirs:
        theirs.open()
        for name, expected in (("one", "0.02"), ("three", "0.03")):
            theirs.keep_position(BINDING, Position(tracked=Decimal(expected)))
            hosts.seize("k1", name)
            hosts.seize("k1", "one")
            with closing(hosts.service("one").account("k1")) as again:
                assert again.tracked_by_all("BTC") == Decimal(expected)


def test_copy_that_could_not_be_filled_is_never_used(hosts: ReplicatedBackend) -> None:
    hosts.shared.is_cut_off = True
    store = hosts.service("one")
    with closing(store.bot("b1")) as bot, pytest.raises(LedgerUnavailable):
        bot.open()
    with closing(store.account("k1")) as account, pytest.raises(LedgerUnavailable):
        account.unsettled()
    path = ledger_path(hosts.copies("one"), "b1")
    assert claim_of(path) == NO_ACCOUNT
    hosts.shared.is_cut_off = False
    with closing(store.bot("b1")) as bot:
        bot.open()
        assert bot.binding() is None


def test_account_that_came_back_is_filled_with_what_its_owner_meanwhile_recorded(
    hosts: ReplicatedBackend, account: JournalCopy
) -> None:
    account.begin(intent(1))
    account.close()
    hosts.seize("k1", "two")
    with closing(hosts.service("two").account("k1")) as theirs:
        theirs.outcome("c1", OrderState.EXECUTED, fill(), AT)
    hosts.seize("k1", "one")
    with closing(hosts.service("one").account("k1")) as again:
        assert again.row("c1").state is OrderState.EXECUTED


def test_rows_that_need_not_be_durable_go_with_the_next_durable_ones(
    hosts: ReplicatedBackend, bot: LedgerCopy
) -> None:
    before = len(hosts.shared.writes)
    bot.keep_state("s", "{}")
    bot.log(AT, "bot_flat", "text", {})
    assert len(hosts.shared.writes) == before
    bot.keep_failing(AT, None)
    sent = [image.table for image in hosts.shared.writes[-1].rows]
    assert sorted(sent) == ["bot", "log", "strategy_state"]
    bot.keep_failing(None, None)
    assert [image.table for image in hosts.shared.writes[-1].rows] == ["bot"]


def test_rows_that_need_not_be_durable_wait_for_seconds_at_most(hosts: ReplicatedBackend) -> None:
    clock = SimulatedClock(AT)
    with installed(clock), closing(hosts.service("one").bot("b1")) as bot:
        bot.open()
        bot.bind(BINDING, 5)
        before = len(hosts.shared.writes)
        clock.advance(LONGEST_WAIT - 1)
        bot.keep_state("s", "{}")
        assert len(hosts.shared.writes) == before
        clock.advance(1)
        bot.send_if_due()
        assert len(hosts.shared.writes) == before + 1
        clock.advance(LONGEST_WAIT)
        with hosts.shared.failing(Fault.NOT_REACHED):
            bot.keep_state("s", "[]")
        assert bot.state("s") == "[]"
        with hosts.shared.failing(Fault.LOST_ANSWER):
            clock.advance(LONGEST_WAIT)
            bot.keep_state("s", "[1]")
        assert bot.state("s") == "[1]"
        bot.keep_failing(AT, None)
        assert_equal_after_takeover(hosts, bot)


def test_closed_bot_leaves_nothing_unsent(hosts: ReplicatedBackend, bot: LedgerCopy) -> None:
    bot.keep_state("s", "{}")
    bot.close()
    with closing(hosts.service("one").bot("b1")) as later:
        later.open()
        assert later.state("s") == "{}"


def test_bot_on_paper_is_written_under_the_claim_on_its_account(
    hosts: ReplicatedBackend, bot: LedgerCopy
) -> None:
    bot.keep_failing(AT, None)
    write = hosts.shared.writes[-1]
    assert (write.kind, write.owner, write.key_id, write.fence) == ("bot", "b1", "k1", 1)


def test_handle_of_an_older_claim_does_not_write_to_a_copy_that_was_made_anew(
    hosts: ReplicatedBackend, account: JournalCopy
) -> None:
    hosts.seize("k1", "two")
    hosts.seize("k1", "one")
    with closing(hosts.service("one").account("k1")) as again:
        again.begin(intent(1))
        with pytest.raises(LedgerFailed):
            account.keep_doubts([], "start", ["b1"])
        assert not again.is_compared("b1", "start")


def test_text_with_nul_is_the_same_in_the_copy_and_in_the_shared_records(
    hosts: ReplicatedBackend, bot: LedgerCopy
) -> None:
    bot.log(AT, "bot_flat", "a\0b", {})
    bot.book(BINDING, order(1))
    (text,) = [row[4] for row in hosts.shared.read("bot", "b1")["log"]]
    assert text == "a\N{SYMBOL FOR NULL}b"
    assert dump(bot.connection)["log"] == hosts.shared.read("bot", "b1")["log"]
    bot.log(AT, "bot_flat", "second", {})
    bot.send()
    assert [row[0] for row in hosts.shared.read("bot", "b1")["log"]] == [1, 2]
