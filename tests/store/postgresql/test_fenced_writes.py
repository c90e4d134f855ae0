"""The fenced write: one statement that checks lease and claim, and then records rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from store.postgresql.conftest import Connect
from support.deadline import eventually
from support.shared_hosts import JoinedHost, a_write, expire, intent, joined

from execsvc.hosts.membership import AcknowledgeTimeline, DistrustTimeline
from execsvc.hosts.takeover import ExpireHost
from execsvc.store.postgresql.connection import DatabaseConnection, StatementRefused
from execsvc.store.postgresql.remote import RowImage

KEY = "key"
RECORDED, LOST, EXPIRED, FROZEN = "recorded", "lost", "expired", "frozen"


@pytest.fixture
def host(connection: DatabaseConnection) -> JoinedHost:
    """A host with a lease."""
    return joined(connection)


def guards(connection: DatabaseConnection) -> list[tuple[str | None, ...]]:
    return connection.call(
        "SELECT owner, row_id, guard, detail FROM bot_guard ORDER BY owner, guard"
    ).rows


def test_write_under_lease_and_claim_is_recorded(host: JoinedHost) -> None:
    fence = host.fence(KEY)

    assert host.answers(a_write(KEY, fence), a_write(owner="paper")) == [RECORDED, RECORDED]
    assert guards(host.connection) == [("bot", "1", "loss", "why"), ("paper", "1", "loss", "why")]


def test_write_with_another_fence_is_refused_and_the_others_of_its_batch_are_not(
    host: JoinedHost,
) -> None:
    fence = host.fence(KEY)
    writes = (
        a_write(KEY, fence + 1),
        a_write(KEY, fence - 1, owner="late"),
        a_write(owner="paper"),
    )

    assert host.answers(*writes) == [LOST, LOST, RECORDED]
    assert guards(host.connection) == [("paper", "1", "loss", "why")]


def bound_to(key_id: str | None, owner: str = "bot") -> RowImage:
    """The first row of a bot that is bound to an account."""
    row = (1, 1, owner, "PAPER", key_id, "BTC/USDT", "test_trading_v1", 5, None, None)
    return RowImage("bot", (1,), row)


def test_write_without_a_claim_of_a_bot_that_is_bound_to_an_account_is_refused(
    host: JoinedHost,
) -> None:
    fence = host.fence(KEY)

    assert host.answers(a_write("", 0, bound_to(None))) == [RECORDED]
    assert host.answers(a_write()) == [RECORDED]
    assert host.answers(a_write(KEY, fence, bound_to(KEY))) == [RECORDED]
    assert host.answers(a_write(), a_write(owner="other")) == [LOST, RECORDED]
    assert host.answers(a_write(KEY, fence)) == [RECORDED]


def test_write_of_a_bot_under_an_account_of_another_host_is_refused(
    host: JoinedHost, connect_again: Connect
) -> None:
    assert host.answers(a_write(KEY, host.fence(KEY), bound_to(KEY))) == [RECORDED]
    other = joined(connect_again(), "two")

    answers = other.answers(a_write(), a_write("second", other.fence("second"), bound_to("second")))

    assert answers == [LOST, LOST]
    second = host.connection.call("SELECT key_id FROM bot_bot").rows
    assert second == [(KEY,)]


def test_write_that_binds_a_bot_to_another_account_of_its_host_is_recorded(
    host: JoinedHost,
) -> None:
    assert host.answers(a_write(KEY, host.fence(KEY), bound_to(KEY))) == [RECORDED]
    second = host.fence("second")

    assert host.answers(a_write("second", second, bound_to("second"))) == [RECORDED]
    assert host.answers(a_write("second", second)) == [RECORDED]


def test_write_of_an_account_that_is_not_claimed_is_refused(host: JoinedHost) -> None:
    fence = host.fence(KEY)
    other = RowImage("release", ("bot",), (1, "bot", "2026-01-01T00:00:00.000Z"))

    answers = host.answers(
        a_write("unclaimed", 1),
        a_write("", 0, other, owner=KEY, kind="account"),
        a_write(KEY, fence, other, owner="another", kind="account"),
        a_write(KEY, fence, other, owner=KEY, kind="account"),
    )

    assert answers == [LOST, LOST, LOST, RECORDED]
    assert host.connection.call("SELECT owner FROM account_release").rows == [(KEY,)]


def test_write_after_the_lease_has_run_out_waits_for_the_next_beat(host: JoinedHost) -> None:
    fence = host.fence(KEY)
    expire(host.connection, "one")

    assert host.answers(a_write(KEY, fence), a_write()) == [EXPIRED, EXPIRED]
    assert guards(host.connection) == []
    assert host.leases.beat().accepted
    assert host.answers(a_write(KEY, fence)) == [RECORDED]


def test_write_after_a_peer_has_ended_the_lease_is_refused(
    host: JoinedHost, connect_again: Connect
) -> None:
    fence = host.fence(KEY)
    expire(host.connection, "one")
    seen = host.leases.beat().host("one")
    expire(host.connection, "one")
    assert seen is not None
    step = ExpireHost("one", seen.incarnation, seen.epoch, seen.beat)
    assert host.leases.execute(step, 1)

    assert host.answers(a_write(KEY, fence), a_write()) == [LOST, LOST]


def test_write_of_the_life_before_is_refused(host: JoinedHost, connect_again: Connect) -> None:
    fence = host.fence(KEY)
    newer = joined(connect_again(), "one")

    assert host.answers(a_write(KEY, fence), a_write()) == [LOST, LOST]
    assert newer.answers(a_write(KEY, fence)) == [LOST]
    assert newer.answers(a_write(KEY, newer.fence(KEY))) == [RECORDED]


def test_write_on_a_timeline_that_is_not_acknowledged_is_frozen(host: JoinedHost) -> None:
    host.leases.execute(DistrustTimeline(1), 1)

    assert host.answers(a_write(), a_write(owner="other")) == [FROZEN, FROZEN]
    assert host.connection.call(
        "SELECT put_record('one', $1, 'halt', '')", (host.leases.incarnation,)
    ).rows == [(FROZEN,)]
    host.leases.execute(AcknowledgeTimeline(1, 0), 1)
    assert host.answers(a_write()) == [RECORDED]


def test_write_of_every_kind_of_value_is_read_back_as_it_was(host: JoinedHost) -> None:
    fence = host.fence(KEY)
    rows = (
        RowImage("moment", ("x",), (7, "x", "Ünï\n\"'\\", 0.1 + 0.2, "")),
        RowImage(
            "log", (9007199254740993,), (9007199254740993, 9007199254740993, "a", "b", "c", "d")
        ),
        RowImage("abandoned", (3,), (3, "a", "LIVE", "k", "s", "0.10", "0")),
        RowImage("bot", (1,), (1, 1, "bot", None, None, None, None, None, None, None)),
    )
    host.answers(a_write(KEY, fence, *rows))

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


def test_write_of_a_deleted_and_a_replaced_row_leaves_the_last_state(host: JoinedHost) -> None:
    one = RowImage("outbox", (1,), (1, 1, "order", "ORDER", "{}"))
    host.answers(a_write("", 0, one), a_write("", 0, one, owner="other"))
    # The same content under another number: the old row has to go first.
    gone, moved = (
        RowImage("outbox", (1,), None),
        RowImage("outbox", (2,), (2, 2, "order", "ORDER", "{}")),
    )

    assert host.answers(a_write("", 0, moved, gone)) == [RECORDED]
    assert host.connection.call("SELECT owner, row_id FROM bot_outbox ORDER BY 1").rows == [
        ("bot", "2"),
        ("other", "1"),
    ]


def test_write_of_a_second_open_intent_of_an_account_is_refused_whole(host: JoinedHost) -> None:
    fence = host.fence(KEY)
    first, second = intent(1, "IN_FLIGHT"), intent(2, "UNKNOWN")
    host.answers(a_write(KEY, fence, first, owner=KEY, kind="account"))

    with pytest.raises(StatementRefused) as refused:
        host.answers(a_write(KEY, fence, second, owner=KEY, kind="account"))
    assert refused.value.constraint == "account_intent_open"
    assert not refused.value.passes
    settled = a_write(KEY, fence, intent(1, "FILLED"), second, owner=KEY, kind="account")
    assert host.answers(settled) == [RECORDED]
    assert [each.intent_id for each in host.leases.beat().intents] == ["order-2"]


def test_write_time_of_an_intent_is_that_of_its_first_record(host: JoinedHost) -> None:
    fence = host.fence(KEY)
    asked = "SELECT recorded_at::text FROM account_intent"
    host.answers(a_write(KEY, fence, intent(1, "IN_FLIGHT"), owner=KEY, kind="account"))
    before = host.connection.call(asked).rows

    host.answers(a_write(KEY, fence, intent(1, "UNKNOWN"), owner=KEY, kind="account"))

    assert host.connection.call(asked).rows == before
    answer = host.leases.beat()
    assert timedelta(0) < answer.now - answer.intents[0].created_at < timedelta(minutes=10)


def test_written_true_for_what_was_recorded_and_final_for_what_was_not(host: JoinedHost) -> None:
    recorded, late = a_write(), a_write(owner="late")
    host.answers(recorded)
    asked = "SELECT was_written($1)"

    assert host.connection.call(asked, (recorded.write_id,)).rows == [("t",)]
    assert host.connection.call(asked, (late.write_id,)).rows == [("f",)]
    with pytest.raises(StatementRefused) as refused:
        host.answers(late)
    assert refused.value.constraint == "written_pkey"
    assert host.connection.call(asked, (late.write_id,)).rows == [("f",)]
    assert guards(host.connection) == [("bot", "1", "loss", "why")]


def test_written_waits_for_a_write_that_is_being_committed(
    host: JoinedHost, connect_again: Connect
) -> None:
    write = a_write()
    host.connection.call("BEGIN")
    host.answers(write)
    asking, seeing = connect_again(), connect_again()
    asking.send("SELECT was_written($1)", (write.write_id,))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid' AND pid = $1::integer"
    eventually(lambda: seeing.call(waiting, (str(asking.backend_pid),)).rows == [("1",)])

    assert asking.poll() is None
    host.connection.call("COMMIT")
    assert eventually(asking.poll).rows == [("t",)]


def test_forget_writes_keeps_those_of_a_week(host: JoinedHost) -> None:
    old, new = a_write(), a_write(owner="other")
    host.answers(old, new)
    statement = "UPDATE written SET at = at - interval '8 days' WHERE write_id = $1"
    host.connection.call(statement, (old.write_id,))

    assert host.leases.forget_writes() == 1
    assert host.connection.call("SELECT write_id FROM written").rows == [(new.write_id,)]


def test_forget_writes_takes_no_more_at_once_than_it_is_given(host: JoinedHost) -> None:
    host.connection.call(
        "INSERT INTO written SELECT 'old-' || n, false, clock_timestamp() - interval '8 days'"
        " FROM generate_series(1, 5) n"
    )
    asked = "SELECT forget_writes(2)"
    counts = [host.connection.call(asked).rows[0][0] for _ in range(4)]
    assert counts == ["2", "2", "1", "0"]


def test_put_record_by_a_host_without_lease_is_refused(host: JoinedHost) -> None:
    asked = "SELECT put_record($1, $2, 'halt', '\\x00ff')"
    run = host.leases.incarnation

    assert host.connection.call(asked, ("one", run)).rows == [(RECORDED,)]
    assert host.connection.call(asked, ("one", "another")).rows == [(LOST,)]
    expire(host.connection, "one")
    assert host.connection.call(asked, ("one", run)).rows == [(EXPIRED,)]
    assert host.connection.call("SELECT content FROM service_record").rows == [("\\x00ff",)]
