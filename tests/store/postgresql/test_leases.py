"""Leases of hosts and claims on accounts, by the database's clock and its timeline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from store.postgresql.conftest import Connect
from support.shared_hosts import TIMING, JoinedHost, a_write, expire, intent, joined

from execsvc.errors import ConfigRefused, LedgerUnavailable, WriteUnknown
from execsvc.hosts.membership import AcknowledgeTimeline, DistrustTimeline
from execsvc.hosts.placement import ReleaseAccount, TakeAccount
from execsvc.hosts.rows import AccountRecord, HostRecord
from execsvc.hosts.takeover import CloseEpoch, ExpireHost, TerminateBackends, join_steps
from execsvc.hosts.timing import Timing
from execsvc.store.postgresql.address import address
from execsvc.store.postgresql.connection import DatabaseConnection, connect
from execsvc.store.postgresql.leases import Evidence, Leases, connection_name

KEY = "key"
LINE = 1
OTHER_TIMING = Timing(order_timeout=31.0, settlement_window=10.0)


@pytest.fixture
def one(connect_again: Connect) -> JoinedHost:
    """A host with a lease, over its own connection."""
    return joined(connect_again(), "one")


@pytest.fixture
def two(connect_again: Connect) -> JoinedHost:
    """Another host with a lease."""
    return joined(connect_again(), "two")


@pytest.fixture
def named(shared_url: str) -> Iterator[DatabaseConnection]:
    """A connection that shows the name of the host ``one``."""
    connection = connect(address(shared_url), connection_name("one"))
    yield connection
    connection.close()


def row_of(host: JoinedHost, host_id: str) -> HostRecord:
    row = host.leases.beat().host(host_id)
    assert row is not None
    return row


def expired(peer: JoinedHost) -> ExpireHost:
    """The first step of the end of the epoch of ``one``, whose time is up."""
    expire(peer.connection, "one")
    row = row_of(peer, "one")
    return ExpireHost("one", row.incarnation, row.epoch, row.beat)


def ended(peer: JoinedHost) -> None:
    """End the epoch of ``one`` in all three steps."""
    step = expired(peer)
    assert peer.leases.execute(step, LINE)
    assert peer.leases.execute(TerminateBackends("one", ()), LINE)
    assert peer.leases.execute(CloseEpoch("one", step.epoch + 1), LINE)


def test_join_begins_a_lease_that_beats_prolong(one: JoinedHost) -> None:
    expire(one.connection, "one")

    answer = one.leases.beat([11, 12])

    row = answer.host("one")
    assert answer.accepted
    assert row is not None
    assert (row.epoch, row.closing, row.draining) == (one.leases.epoch, False, False)
    assert row_of(one, "one").backend_pids == ()
    assert timedelta(seconds=11.9) < row.expires_at - answer.now <= timedelta(seconds=TIMING.ttl)
    assert row_of(one, "one").beat == row.beat + 2


def test_join_of_a_newer_life_ends_the_older(one: JoinedHost, connect_again: Connect) -> None:
    newer = joined(connect_again(), "one")

    assert newer.leases.epoch == one.leases.epoch + 2
    assert not one.leases.beat().accepted
    assert newer.leases.beat().accepted


def test_join_of_two_at_once_is_given_to_one(one: JoinedHost, connect_again: Connect) -> None:
    seen = one.leases.beat()
    lives = [Leases(connect_again(), "one", f"one/{number}") for number in range(2)]
    steps = [join_steps("one", life.incarnation, seen.host("one")) for life in lives]

    assert lives[0].execute(steps[0][0], LINE)
    assert not lives[1].execute(steps[1][0], LINE)
    assert not lives[0].beat().accepted  # not before the last step
    assert all(lives[0].execute(step, LINE) for step in steps[0][1:])
    assert lives[0].beat().accepted
    assert not lives[1].execute(steps[1][2], LINE)


def test_agree_other_times_are_refused_while_a_host_lives(
    one: JoinedHost, connection: DatabaseConnection
) -> None:
    with pytest.raises(ConfigRefused, match=r"ORDER_TIMEOUT 30 s, .* this one 31 s"):
        Leases(connection, "two", "two/1").agree(OTHER_TIMING)
    one.leases.agree(OTHER_TIMING)  # the only host
    assert one.leases.leave()
    Leases(connection, "two", "two/1").agree(TIMING)


def test_agree_other_times_are_refused_while_an_order_is_open(one: JoinedHost) -> None:
    one.answers(a_write(KEY, one.fence(KEY), intent(1, "IN_FLIGHT"), owner=KEY, kind="account"))

    with pytest.raises(ConfigRefused):
        one.leases.agree(OTHER_TIMING)


def test_agree_tables_of_another_version_are_refused(connection: DatabaseConnection) -> None:
    connection.call("UPDATE cluster SET schema_version = 99")

    with pytest.raises(ConfigRefused, match="version 99, this host needs 1"):
        joined(connection)


def test_beat_tells_of_all_hosts_accounts_and_open_intents(
    one: JoinedHost, two: JoinedHost
) -> None:
    fence = two.fence(KEY)
    two.answers(a_write(KEY, fence, intent(1, "UNKNOWN"), owner=KEY, kind="account"))

    answer = one.leases.beat()

    assert [row.host_id for row in answer.hosts] == ["one", "two"]
    assert answer.accounts == (AccountRecord(KEY, "two", two.leases.epoch, fence),)
    ((key_id, order, state, created_at),) = answer.intents
    assert (key_id, order, state) == (KEY, "order-1", "UNKNOWN")
    assert created_at < answer.now


def test_beat_tells_the_timeline_and_a_log_position_that_grows(one: JoinedHost) -> None:
    first = one.leases.beat()
    second = one.leases.beat()

    assert (first.timeline, first.acknowledged) == (LINE, LINE)
    assert 0 < first.lsn < second.lsn
    assert first.now < second.now


def test_beat_does_not_wait_for_writes_of_its_host(one: JoinedHost, connect_again: Connect) -> None:
    fence = one.fence(KEY)
    one.connection.call("BEGIN")
    one.answers(a_write(KEY, fence))
    beating = Leases(connect_again(), "one", one.leases.incarnation, one.leases.epoch)

    assert beating.beat().accepted
    one.connection.call("COMMIT")


def test_expire_of_a_living_or_another_lease_is_refused(one: JoinedHost, two: JoinedHost) -> None:
    row = row_of(two, "one")
    assert not two.leases.execute(ExpireHost("one", row.incarnation, row.epoch, row.beat), LINE)
    step = expired(two)

    for wrong in (
        step._replace(epoch=0),
        step._replace(beat=0),
        step._replace(incarnation="another"),
    ):
        assert not two.leases.execute(wrong, LINE)
    assert not two.leases.execute(step, LINE + 1)
    assert two.leases.execute(step, LINE)
    assert not two.leases.execute(step, LINE)
    assert not one.leases.beat().accepted


def test_terminate_ends_all_connections_of_the_host_and_of_no_other(
    one: JoinedHost, two: JoinedHost, named: DatabaseConnection, shared_url: str
) -> None:
    frozen = connect(address(shared_url), connection_name("one"))
    frozen.call("BEGIN")
    frozen.call("UPDATE cluster SET id = 1")
    assert two.leases.terminate("one", LINE, 5.0) == -1  # its epoch is not being closed
    assert named.call("SELECT 1").rows == [("1",)]
    two.leases.execute(expired(two), LINE)

    assert two.leases.terminate("one", LINE, 5.0) == 0

    for connection in (frozen, named):
        with pytest.raises((WriteUnknown, LedgerUnavailable)):
            connection.call("SELECT 1")
    assert two.connection.call("UPDATE cluster SET id = 1 RETURNING id").rows == [("1",)]


def test_take_new_account_is_given_once(one: JoinedHost, two: JoinedHost) -> None:
    new = TakeAccount(KEY, None, one.leases.epoch)

    assert one.leases.execute(new, LINE)
    assert not two.leases.execute(new._replace(epoch=two.leases.epoch), LINE)
    assert one.account(KEY) == AccountRecord(KEY, "one", one.leases.epoch, 1)


def test_take_of_an_own_account_makes_the_claim_before_void(one: JoinedHost) -> None:
    fence = one.fence(KEY)

    assert one.takes(KEY)

    assert one.answers(a_write(KEY, fence)) == ["lost"]
    assert one.answers(a_write(KEY, fence + 1)) == ["recorded"]


def test_take_of_a_dead_host_only_once_its_epoch_is_closed(
    one: JoinedHost, two: JoinedHost
) -> None:
    fence = one.fence(KEY)
    assert not two.takes(KEY)
    step = expired(two)
    assert not two.takes(KEY)
    two.leases.execute(step, LINE)
    assert not two.takes(KEY)
    assert not two.leases.execute(CloseEpoch("one", step.epoch), LINE)
    two.leases.execute(CloseEpoch("one", step.epoch + 1), LINE)

    assert two.takes(KEY)

    assert two.fence(KEY) == fence + 1
    assert one.answers(a_write(KEY, fence)) == ["lost"]


def test_take_by_a_row_that_has_changed_is_refused(one: JoinedHost, two: JoinedHost) -> None:
    one.fence(KEY)
    before = one.account(KEY)
    ended(two)
    assert two.takes(KEY)

    assert not two.leases.execute(TakeAccount(KEY, before, two.leases.epoch), LINE)


def test_take_without_a_lease_is_refused(one: JoinedHost) -> None:
    one.fence(KEY)
    seen = one.leases.beat()
    expire(one.connection, "one")

    for row in (None, seen.accounts[0]):
        key = KEY if row else "new"
        assert not one.leases.execute(TakeAccount(key, row, one.leases.epoch), LINE)


def test_take_waits_for_a_write_under_the_claim_before(
    one: JoinedHost, two: JoinedHost, connect_again: Connect
) -> None:
    fence = one.fence(KEY)
    one.connection.call("BEGIN")
    one.answers(a_write(KEY, fence))
    ended(two)

    with pytest.raises(LedgerUnavailable, match="lock timeout"):
        two.takes(KEY)
    assert two.leases.beat().accepted
    one.connection.call("ROLLBACK")
    assert two.takes(KEY)


def test_release_frees_the_account_and_refuses_its_writes(one: JoinedHost, two: JoinedHost) -> None:
    fence = one.fence(KEY)
    row = one.account(KEY)
    assert row is not None
    assert not one.leases.execute(ReleaseAccount(row._replace(fence=fence + 1)), LINE)

    assert one.leases.execute(ReleaseAccount(row), LINE)

    assert one.answers(a_write(KEY, fence)) == ["lost"]
    assert two.takes(KEY)
    assert two.fence(KEY) == fence + 1
    assert not one.leases.execute(ReleaseAccount(row), LINE)


def test_release_with_an_open_order_is_refused(one: JoinedHost) -> None:
    fence = one.fence(KEY)
    one.answers(a_write(KEY, fence, intent(1, "ARRIVING"), owner=KEY, kind="account"))
    row = one.account(KEY)
    assert row is not None

    assert not one.leases.execute(ReleaseAccount(row), LINE)
    one.answers(a_write(KEY, fence, intent(1, "FILLED"), owner=KEY, kind="account"))
    assert one.leases.execute(ReleaseAccount(row), LINE)


def test_timeline_that_is_not_acknowledged_freezes_claims_and_takeovers(
    one: JoinedHost, two: JoinedHost
) -> None:
    one.fence(KEY)
    row = one.account(KEY)
    assert row is not None
    step = expired(two)

    assert two.leases.execute(DistrustTimeline(LINE), LINE)

    assert not two.leases.execute(step, LINE)
    assert not one.leases.execute(ReleaseAccount(row), LINE)
    assert not two.leases.execute(TakeAccount("new", None, two.leases.epoch), LINE)
    assert two.leases.beat().accepted
    assert two.leases.beat().acknowledged == 0
    assert not two.leases.execute(AcknowledgeTimeline(LINE, LINE), LINE)
    assert not two.leases.execute(AcknowledgeTimeline(LINE, 0), LINE + 1)
    assert two.leases.execute(AcknowledgeTimeline(LINE, 0), LINE)
    assert two.leases.execute(TakeAccount("new", None, two.leases.epoch), LINE)


def test_drain_is_seen_by_the_others_until_the_host_joins_again(
    one: JoinedHost, two: JoinedHost, connect_again: Connect
) -> None:
    assert one.leases.drain(True)
    assert [row.draining for row in two.leases.beat().hosts] == [True, False]
    joined(connect_again(), "one")

    assert [row.draining for row in two.leases.beat().hosts] == [False, False]
    assert not one.leases.drain(True)


def test_leave_lets_others_claim_at_once(one: JoinedHost, two: JoinedHost) -> None:
    fence = one.fence(KEY)

    assert one.leases.leave()

    assert two.takes(KEY)
    assert two.fence(KEY) == fence + 1
    assert not one.leases.leave()


def test_evidence_is_taken_from_a_host_without_a_lease(one: JoinedHost) -> None:
    one.leases.leave()
    evidence = Evidence("order-1", '{"filled": "0.1"}')

    one.leases.add_evidence(KEY, evidence)

    assert one.leases.evidence(KEY) == [evidence]
    assert one.leases.evidence("another") == []
