"""Leases of hosts and claims on accounts, by the database's clock."""

from __future__ import annotations

import pytest
from store.postgresql.conftest import Connect
from support.shared_hosts import TERMS, EnlistedHost, a_write, enlisted, expire, intent

from execsvc.errors import ConfigRefused, LedgerUnavailable, WriteUnknown
from execsvc.store.postgresql.address import address
from execsvc.store.postgresql.connection import DatabaseConnection, connect
from execsvc.store.postgresql.leases import Lease, Leases, application_name

KEY = "key"
OTHER_TERMS = TERMS._replace(order_timeout=31.0)


@pytest.fixture
def one(connect_again: Connect) -> EnlistedHost:
    """A host with a lease, over its own connection."""
    return enlisted(connect_again(), "one")


@pytest.fixture
def two(connect_again: Connect) -> EnlistedHost:
    """Another host with a lease."""
    return enlisted(connect_again(), "two")


def test_enlist_first_host_sets_the_terms(one: EnlistedHost) -> None:
    sight = one.leases.beat(one.lease, ())

    assert sight.accepted
    assert sight.terms == TERMS
    (host,) = sight.hosts
    assert (host.host_id, host.epoch, host.expired, host.draining) == (
        "one",
        one.lease.epoch,
        False,
        False,
    )


def test_enlist_host_with_other_terms_is_refused_while_a_host_lives(
    one: EnlistedHost, connection: DatabaseConnection
) -> None:
    with pytest.raises(ConfigRefused, match=r"ORDER_TIMEOUT 30 s, .* this one 31 s"):
        enlisted(connection, "two", OTHER_TERMS)
    one.leases.leave(one.lease)
    assert enlisted(connection, "two", OTHER_TERMS).lease.epoch == 1


def test_enlist_host_with_other_terms_is_refused_while_an_order_is_open(
    one: EnlistedHost, connection: DatabaseConnection
) -> None:
    fence = one.leases.claim(KEY, one.lease) or 0
    one.write_batch(a_write(KEY, fence, intent(1, "IN_FLIGHT"), owner=KEY, kind="account"))
    one.leases.leave(one.lease)

    with pytest.raises(ConfigRefused):
        enlisted(connection, "two", OTHER_TERMS)


def test_enlist_second_machine_under_a_living_name_is_refused(
    one: EnlistedHost, connection: DatabaseConnection
) -> None:
    with pytest.raises(ConfigRefused, match="another service that lives has the host name one"):
        enlisted(connection, "one")
    expire(connection, "one")
    assert enlisted(connection, "one").lease.epoch == one.lease.epoch + 1
    assert not one.leases.beat(one.lease, ()).accepted


def test_enlist_newer_run_of_the_same_machine_ends_the_older(one: EnlistedHost) -> None:
    newer = one.leases.enlist("one", "newer", TERMS, one.lease.incarnation)

    assert newer.epoch == one.lease.epoch + 1
    assert not one.leases.beat(one.lease, ()).accepted
    assert one.leases.beat(newer, ()).accepted


def test_enlist_tables_of_another_version_is_refused(connection: DatabaseConnection) -> None:
    connection.call("UPDATE cluster SET schema_version = 99")

    with pytest.raises(ConfigRefused, match="version 99, this host needs 1"):
        enlisted(connection)


def test_beat_prolongs_the_lease_and_tells_of_all_hosts_and_accounts(
    one: EnlistedHost, two: EnlistedHost
) -> None:
    fence = two.leases.claim(KEY, two.lease) or 0
    two.write_batch(a_write(KEY, fence, intent(1, "UNKNOWN"), owner=KEY, kind="account"))
    expire(one.connection, "one")
    before = two.leases.beat(two.lease, ())
    assert [host.expired for host in before.hosts] == [True, False]

    sight = one.leases.beat(one.lease, [11, 12])

    assert [(host.host_id, host.expired) for host in sight.hosts] == [
        ("one", False),
        ("two", False),
    ]
    assert sight.hosts[0].beat == before.hosts[0].beat + 1
    assert sight.hosts[0].age < sight.hosts[1].age
    ((key, owner, epoch, number, is_open),) = sight.accounts
    assert (key, owner, epoch, number, is_open) == (KEY, "two", two.lease.epoch, fence, True)
    assert one.connection.call("SELECT backend_pids FROM host WHERE host_id = 'one'").rows == [
        ("{11,12}",)
    ]


def test_beat_tells_the_timeline_and_a_log_position_that_grows(one: EnlistedHost) -> None:
    first = one.leases.beat(one.lease, ())
    one.write_batch(a_write())

    second = one.leases.beat(one.lease, ())

    assert (first.system, first.timeline) == (second.system, second.timeline)
    assert int(first.system) > 0
    assert first.timeline == 1
    assert first.lsn < second.lsn
    assert first.now < second.now


def test_bump_of_a_lease_that_has_not_expired_is_refused(
    one: EnlistedHost, two: EnlistedHost
) -> None:
    assert two.leases.bump(one.lease) is None
    assert one.leases.beat(one.lease, ()).accepted


def test_bump_by_two_peers_succeeds_once(one: EnlistedHost, two: EnlistedHost) -> None:
    expire(one.connection, "one")

    assert two.leases.bump(one.lease) == one.lease.epoch + 1
    assert two.leases.bump(one.lease) is None
    assert not one.leases.beat(one.lease, ()).accepted
    again = one.lease._replace(epoch=one.lease.epoch + 1)
    assert two.leases.bump(again) == one.lease.epoch + 2


def test_terminate_ends_all_connections_of_the_host_and_of_no_other(
    shared_url: str, two: EnlistedHost
) -> None:
    place, run = address(shared_url), "run-of-one"
    lease_connection = connect(place, application_name(run))
    frozen = connect(place, application_name(run))
    one = Leases(lease_connection).enlist("one", run, TERMS)
    frozen.call("BEGIN")
    frozen.call("UPDATE cluster SET id = 1")
    assert two.leases.terminate(one, 5.0) == 0
    expire(two.connection, "one")
    ended = one._replace(epoch=two.leases.bump(one) or 0)

    assert two.leases.terminate(ended, 5.0) == 0

    for connection in (frozen, lease_connection):
        with pytest.raises((WriteUnknown, LedgerUnavailable)):
            connection.call("SELECT 1")
        connection.close()
    assert two.connection.call("UPDATE cluster SET id = 1 RETURNING id").rows == [("1",)]


def test_claim_new_account_is_given_once(one: EnlistedHost, two: EnlistedHost) -> None:
    fence = one.leases.claim(KEY, one.lease)

    assert fence == 1
    assert one.leases.claim(KEY, one.lease) == fence
    assert two.leases.claim(KEY, two.lease) is None


def test_claim_of_a_silent_host_only_after_its_lease_was_ended(
    one: EnlistedHost, two: EnlistedHost
) -> None:
    fence = one.leases.claim(KEY, one.lease) or 0
    expire(one.connection, "one")
    assert two.leases.claim(KEY, two.lease) is None
    two.leases.bump(one.lease)

    assert two.leases.claim(KEY, two.lease) == fence + 1
    assert one.write_batch(a_write(KEY, fence)) == [False]


def test_claim_by_a_host_without_a_lease_is_refused(one: EnlistedHost) -> None:
    expire(one.connection, "one")

    assert one.leases.claim(KEY, one.lease) is None
    assert one.leases.claim(KEY, Lease("never", "enlisted", 1)) is None


def test_claim_waits_for_a_write_under_the_claim_before(
    one: EnlistedHost, two: EnlistedHost
) -> None:
    fence = one.leases.claim(KEY, one.lease) or 0
    one.connection.call("BEGIN")
    one.write_batch(a_write(KEY, fence))
    expire(two.connection, "one")
    two.leases.bump(one.lease)

    with pytest.raises(LedgerUnavailable, match="lock timeout"):
        two.leases.claim(KEY, two.lease)
    assert two.leases.beat(two.lease, ()).accepted
    one.connection.call("ROLLBACK")
    assert two.leases.claim(KEY, two.lease) == fence + 1


def test_release_frees_the_account_and_refuses_its_writes(
    one: EnlistedHost, two: EnlistedHost
) -> None:
    fence = one.leases.claim(KEY, one.lease) or 0
    assert not one.leases.release(KEY, one.lease, fence + 1)

    assert one.leases.release(KEY, one.lease, fence)

    assert one.write_batch(a_write(KEY, fence)) == [False]
    assert two.leases.claim(KEY, two.lease) == fence + 1
    assert not one.leases.release(KEY, one.lease, fence)


def test_drain_is_seen_by_the_others_until_the_host_enlists_again(
    one: EnlistedHost, two: EnlistedHost
) -> None:
    assert one.leases.drain(one.lease, True)
    assert [host.draining for host in two.leases.beat(two.lease, ()).hosts] == [True, False]
    one.leases.enlist("one", "newer", TERMS, one.lease.incarnation)

    assert [host.draining for host in two.leases.beat(two.lease, ()).hosts] == [False, False]
    assert not one.leases.drain(one.lease, True)


def test_leave_lets_others_claim_at_once(one: EnlistedHost, two: EnlistedHost) -> None:
    fence = one.leases.claim(KEY, one.lease) or 0

    assert one.leases.leave(one.lease)

    assert two.leases.claim(KEY, two.lease) == fence + 1
    assert not one.leases.leave(one.lease)


def test_evidence_is_taken_from_a_host_without_a_lease(one: EnlistedHost) -> None:
    one.leases.leave(one.lease)
    one.leases.add_evidence(one.lease, KEY, "order-1", '{"filled": "0.1"}')

    assert one.leases.evidence(KEY) == [("order-1", '{"filled": "0.1"}')]
    assert one.leases.evidence("another") == []


def test_beat_of_a_host_does_not_wait_for_its_own_writes(
    one: EnlistedHost, connect_again: Connect
) -> None:
    fence = one.leases.claim(KEY, one.lease) or 0
    one.connection.call("BEGIN")
    one.write_batch(a_write(KEY, fence))

    assert Leases(connect_again()).beat(one.lease, ()).accepted
    one.connection.call("COMMIT")
