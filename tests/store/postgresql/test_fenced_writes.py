"""The fenced write: one statement that checks lease and claim, and then records rows."""

from __future__ import annotations

import pytest
from store.postgresql.conftest import Connect
from support.deadline import eventually
from support.shared_hosts import EnlistedHost, a_write, enlisted, expire, intent

from execsvc.store.postgresql.connection import DatabaseConnection, StatementRefused
from execsvc.store.postgresql.remote import RowImage

KEY = "key"


@pytest.fixture
def host(connection: DatabaseConnection) -> EnlistedHost:
    """A host with a lease."""
    return enlisted(connection)


def fence_of(host: EnlistedHost, key_id: str = KEY) -> int:
    fence = host.leases.claim(key_id, host.lease)
    assert fence is not None
    return fence


def guards(connection: DatabaseConnection) -> list[tuple[str | None, ...]]:
    return connection.call(
        "SELECT owner, row_id, guard, detail FROM bot_guard ORDER BY owner, guard"
    ).rows


def test_write_under_lease_and_claim_is_recorded(host: EnlistedHost) -> None:
    fence = fence_of(host)

    assert host.write_batch(a_write(KEY, fence), a_write(owner="paper")) == [True, True]
    assert guards(host.connection) == [("bot", "1", "loss", "why"), ("paper", "1", "loss", "why")]


def test_write_with_another_fence_is_refused_and_the_others_of_its_batch_are_not(
    host: EnlistedHost,
) -> None:
    fence = fence_of(host)
    writes = (
        a_write(KEY, fence + 1),
        a_write(KEY, fence - 1, owner="late"),
        a_write(owner="paper"),
    )

    assert host.write_batch(*writes) == [False, False, True]
    assert guards(host.connection) == [("paper", "1", "loss", "why")]


def test_write_of_an_account_that_is_not_claimed_is_refused(host: EnlistedHost) -> None:
    fence = fence_of(host)
    other = RowImage("release", ("bot",), (1, "bot", "2026-01-01T00:00:00.000Z"))

    answers = host.write_batch(
        a_write("unclaimed", 1),
        a_write("", 0, other, owner=KEY, kind="account"),
        a_write(KEY, fence, other, owner="another", kind="account"),
        a_write(KEY, fence, other, owner=KEY, kind="account"),
    )

    assert answers == [False, False, False, True]
    assert host.connection.call("SELECT owner FROM account_release").rows == [(KEY,)]


def test_write_after_the_lease_has_run_out_is_refused(host: EnlistedHost) -> None:
    fence = fence_of(host)
    expire(host.connection, "one")

    assert host.write_batch(a_write(KEY, fence), a_write()) == [False, False]
    assert guards(host.connection) == []


def test_write_after_a_peer_has_ended_the_lease_is_refused(host: EnlistedHost) -> None:
    fence = fence_of(host)
    expire(host.connection, "one")
    assert host.leases.bump(host.lease) == host.lease.epoch + 1

    assert host.write_batch(a_write(KEY, fence), a_write()) == [False, False]


def test_write_of_the_run_before_is_refused(host: EnlistedHost, connect_again: Connect) -> None:
    fence = fence_of(host)
    leases = host.leases
    newer = leases.enlist("one", "newer", leases.beat(host.lease, ()).terms, host.lease.incarnation)

    assert host.write_batch(a_write(KEY, fence), a_write()) == [False, False]
    again = EnlistedHost(newer, leases, host.connection)
    assert again.write_batch(a_write(KEY, fence)) == [False]
    assert again.write_batch(a_write(KEY, fence_of(again))) == [True]


def test_write_of_every_kind_of_value_is_read_back_as_it_was(host: EnlistedHost) -> None:
    fence = fence_of(host)
    rows = (
        RowImage("moment", ("x",), (7, "x", "Ünï\n\"'\\", 0.1 + 0.2, "")),
        RowImage(
            "log", (9007199254740993,), (9007199254740993, 9007199254740993, "a", "b", "c", "d")
        ),
        RowImage("abandoned", (3,), (3, "a", "LIVE", "k", "s", "0.10", "0")),
        RowImage("bot", (1,), (1, 1, "bot", None, None, None, None, None, None, None)),
    )
    host.write_batch(a_write(KEY, fence, *rows))

    read = host.connection.call(
        "SELECT name, content FROM read_rows('bot', 'bot') ORDER BY name"
    ).rows

    assert {name for name, _ in read} == {row.table for row in rows}
    assert dict(read) == {
        "abandoned": '[[3, "a", "LIVE", "k", "s", "0.10", "0"]]',
        "bot": '[[1, 1, "bot", null, null, null, null, null, null, null]]',
        "log": '[[9007199254740993, 9007199254740993, "a", "b", "c", "d"]]',
        "moment": '[[7, "x", "Ünï\\n\\"\'\\\\", 0.30000000000000004, ""]]',
    }


def test_write_of_a_deleted_and_a_replaced_row_leaves_the_last_state(host: EnlistedHost) -> None:
    one = RowImage("outbox", (1,), (1, 1, "order", "ORDER", "{}"))
    host.write_batch(a_write("", 0, one), a_write("", 0, one, owner="other"))
    # The same content under another number: the old row has to go first.
    gone, moved = (
        RowImage("outbox", (1,), None),
        RowImage("outbox", (2,), (2, 2, "order", "ORDER", "{}")),
    )

    assert host.write_batch(a_write("", 0, moved, gone)) == [True]
    assert host.connection.call("SELECT owner, row_id FROM bot_outbox ORDER BY 1").rows == [
        ("bot", "2"),
        ("other", "1"),
    ]


def test_write_of_a_second_open_intent_of_an_account_is_refused_whole(host: EnlistedHost) -> None:
    fence = fence_of(host)
    first, second = intent(1, "IN_FLIGHT"), intent(2, "UNKNOWN")
    host.write_batch(a_write(KEY, fence, first, owner=KEY, kind="account"))

    with pytest.raises(StatementRefused) as refused:
        host.write_batch(a_write(KEY, fence, second, owner=KEY, kind="account"))
    assert refused.value.constraint == "account_intent_open"
    assert not refused.value.passes
    settled = a_write(KEY, fence, intent(1, "FILLED"), second, owner=KEY, kind="account")
    assert host.write_batch(settled) == [True]
    assert list(host.leases.open_intents(KEY)) == ["order-2"]


def test_write_time_of_an_intent_is_that_of_its_first_record(host: EnlistedHost) -> None:
    fence = fence_of(host)
    asked = "SELECT recorded_at::text FROM account_intent"
    host.write_batch(a_write(KEY, fence, intent(1, "IN_FLIGHT"), owner=KEY, kind="account"))
    before = host.connection.call(asked).rows

    host.write_batch(a_write(KEY, fence, intent(1, "UNKNOWN"), owner=KEY, kind="account"))

    assert host.connection.call(asked).rows == before
    assert 0 <= host.leases.open_intents(KEY)["order-1"] < 600


def test_written_true_for_what_was_recorded_and_final_for_what_was_not(host: EnlistedHost) -> None:
    recorded, late = a_write(), a_write(owner="late")
    host.write_batch(recorded)
    asked = "SELECT was_written($1)"

    assert host.connection.call(asked, (recorded.write_id,)).rows == [("t",)]
    assert host.connection.call(asked, (late.write_id,)).rows == [("f",)]
    with pytest.raises(StatementRefused) as refused:
        host.write_batch(late)
    assert refused.value.constraint == "written_pkey"
    assert host.connection.call(asked, (late.write_id,)).rows == [("f",)]
    assert guards(host.connection) == [("bot", "1", "loss", "why")]


def test_written_waits_for_a_write_that_is_being_committed(
    host: EnlistedHost, connect_again: Connect
) -> None:
    write = a_write()
    host.connection.call("BEGIN")
    host.write_batch(write)
    asking, seeing = connect_again(), connect_again()
    asking.send("SELECT was_written($1)", (write.write_id,))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid' AND pid = $1::integer"
    eventually(lambda: seeing.call(waiting, (str(asking.backend_pid),)).rows == [("1",)])

    assert asking.poll() is None
    host.connection.call("COMMIT")
    assert eventually(asking.poll).rows == [("t",)]


def test_forget_writes_keeps_those_of_a_week(host: EnlistedHost) -> None:
    old, new = a_write(), a_write(owner="other")
    host.write_batch(old, new)
    statement = "UPDATE written SET at = at - interval '8 days' WHERE write_id = $1"
    host.connection.call(statement, (old.write_id,))

    assert host.leases.forget_writes() == 1
    assert host.connection.call("SELECT write_id FROM written").rows == [(new.write_id,)]


def test_put_record_by_a_host_without_lease_is_refused(host: EnlistedHost) -> None:
    asked = "SELECT put_record($1, $2, 'halt', '\\x00ff')"
    run = host.lease.incarnation

    assert host.connection.call(asked, ("one", run)).rows == [("t",)]
    assert host.connection.call(asked, ("one", "another")).rows == [("f",)]
    expire(host.connection, "one")
    assert host.connection.call(asked, ("one", run)).rows == [("f",)]
    assert host.connection.call("SELECT content FROM service_record").rows == [("\\x00ff",)]
