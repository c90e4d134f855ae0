"""The broker and its clients: what a process of a host gets for each call."""

from __future__ import annotations

import socket
import stat
import threading
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from store.postgresql.conftest import Connect
from support.broker import RunningBroker
from support.deadline import eventually
from support.shared_hosts import JoinedHost, a_write, expire, intent, joined

from execsvc.errors import ClaimLost, LedgerFailed, LedgerUnavailable, WriteUnknown
from execsvc.hosts.membership import DistrustTimeline
from execsvc.store.postgresql.client import BrokerClient
from execsvc.store.postgresql.connection import DatabaseConnection
from execsvc.store.postgresql.remote import RowImage
from execsvc.store.postgresql.wire import Message, MessageReader, encoded

KEY = "key"


@pytest.fixture
def host(connection: DatabaseConnection) -> JoinedHost:
    """A host with a lease."""
    return joined(connection)


@pytest.fixture
def broker(shared_url: str, host: JoinedHost) -> Iterator[RunningBroker]:
    """The broker of that host."""
    running = RunningBroker(shared_url, "one", host.leases.incarnation)
    yield running
    running.stop()


@pytest.fixture
def client(broker: RunningBroker) -> BrokerClient:
    """A client of that broker."""
    return broker.client()


def test_write_is_read_back_by_another_client(
    host: JoinedHost, client: BrokerClient, broker: RunningBroker
) -> None:
    rows = (
        RowImage("bot", (1,), (1, 1, "bot", None, None, None, None, 5, None, None)),
        RowImage("moment", ("x",), (7, "x", 'Ünï\n"\\u0000\\', 0.1 + 0.2, "")),
    )
    client.write(a_write(KEY, host.fence(KEY), *rows))

    assert broker.client().read("bot", "bot") == {row.table: [row.row] for row in rows}
    assert client.owners("bot") == ["bot"]
    assert client.owners("account") == []
    assert client.read("bot", "another") == {}


def test_write_under_a_lost_claim_is_refused_as_lost(
    host: JoinedHost, client: BrokerClient
) -> None:
    fence = host.fence(KEY)
    with pytest.raises(ClaimLost):
        client.write(a_write(KEY, fence + 1))
    expire(host.connection, "one")
    with pytest.raises(ClaimLost):
        client.write(a_write(KEY, fence + 1))


def test_write_under_a_lease_that_has_run_out_is_certainly_not_recorded_yet(
    host: JoinedHost, client: BrokerClient
) -> None:
    fence = host.fence(KEY)
    expire(host.connection, "one")
    for call in (
        lambda: client.write(a_write(KEY, fence)),
        lambda: client.put("halt", b""),
        lambda: client.replace("held", None, b"one"),
    ):
        with pytest.raises(LedgerUnavailable, match="until its next beat") as refused:
            call()
        assert not isinstance(refused.value, WriteUnknown)
    host.leases.beat()
    client.write(a_write(KEY, fence))


def test_write_on_a_timeline_that_is_not_acknowledged_is_certainly_not_recorded(
    host: JoinedHost, client: BrokerClient
) -> None:
    host.leases.execute(DistrustTimeline(1), 1)

    with pytest.raises(LedgerUnavailable, match="replaced by a standby") as refused:
        client.write(a_write())
    assert not isinstance(refused.value, WriteUnknown)


def test_write_that_breaks_a_rule_fails_alone_of_those_that_wait_with_it(
    host: JoinedHost, broker: RunningBroker
) -> None:
    fences = {key: host.fence(key) for key in ("a", "b", "c")}
    first = broker.client()
    first.write(a_write("a", fences["a"], intent(1, "IN_FLIGHT"), owner="a", kind="account"))
    host.connection.call("BEGIN")  # let the next writes wait until all are there
    host.connection.call("LOCK TABLE written IN SHARE MODE")
    writes = [
        a_write(key, fences[key], intent(2, "IN_FLIGHT"), owner=key, kind="account")
        for key in fences
    ]
    outcomes: dict[str, str] = {}

    def write(number: int) -> None:
        try:
            broker.client().write(writes[number])
        except LedgerFailed as error:
            outcomes[writes[number].owner] = str(error)
        else:
            outcomes[writes[number].owner] = "recorded"

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(writes))]
    blocker = threading.Thread(target=lambda: broker.client().write(a_write(owner="blocker")))
    blocker.start()
    eventually(lambda: broker.broker._running is not None)
    for thread in threads:
        thread.start()
    eventually(lambda: len(broker.broker._waiting) == len(writes))
    host.connection.call("COMMIT")
    for thread in (blocker, *threads):
        thread.join()

    assert outcomes == {
        "a": "PostgreSQL: the account has an open order already",
        "b": "recorded",
        "c": "recorded",
    }


def test_write_of_a_row_that_no_table_takes_fails_for_good(client: BrokerClient) -> None:
    for row in (RowImage("guard", ("x",), (1, "x", None, "", "")), RowImage("nothing", (1,), (1,))):
        with pytest.raises(LedgerFailed) as refused:
            client.write(a_write("", 0, row))
        assert not isinstance(refused.value, (LedgerUnavailable, ClaimLost))
    with pytest.raises(LedgerFailed, match="cannot be recorded"):
        client.write(a_write("", 0, RowImage("moment", ("x",), (1, "x", "", float("nan"), ""))))


def test_write_of_a_text_with_nul_fails_for_good(client: BrokerClient) -> None:
    row = (1, "loss", "5", "2026-01-01T00:00:00.000Z", "a\0b")
    with pytest.raises(LedgerFailed) as caught:
        client.write(a_write("", 0, RowImage("guard", ("loss",), row)))
    assert not isinstance(caught.value, LedgerUnavailable)
    assert client.read("bot", "bot") == {}


def test_replace_of_a_record_that_is_as_given_is_true(client: BrokerClient) -> None:
    assert client.replace("held", None, b"one\0\xff")
    assert client.replace("held", b"one\0\xff", b"")
    assert client.replace("held", b"", b"two")
    assert client.get("held") == b"two"


@pytest.mark.parametrize("former", [None, b"", b"one"])
def test_replace_of_a_record_that_is_another_one_by_then_is_false(
    former: bytes | None, client: BrokerClient
) -> None:
    client.put("held", b"two")
    assert not client.replace("held", former, b"three")
    assert not client.replace("none", b"", b"three")
    assert (client.get("held"), client.get("none")) == (b"two", None)


@pytest.mark.says("store_connection_lost")
def test_write_whose_backend_is_ended_is_unknown_and_then_decided(
    host: JoinedHost, client: BrokerClient, connect_again: Connect
) -> None:
    write, seeing = a_write(), connect_again()
    outcome: list[WriteUnknown] = []
    host.connection.call("BEGIN")
    host.connection.call("LOCK TABLE written IN SHARE MODE")

    def caught() -> None:
        with pytest.raises(WriteUnknown) as lost:
            client.write(write)
        outcome.append(lost.value)

    thread = threading.Thread(target=caught)
    thread.start()
    waits = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    eventually(lambda: seeing.call(waits).rows)
    thread.join()
    host.connection.call("COMMIT")

    assert len(outcome) == 1
    assert client.written(write.write_id) is False
    with pytest.raises(LedgerFailed, match="given up before it arrived"):
        client.write(write)
    assert client.read("bot", "bot") == {}
    client.write(a_write())
    assert client.read("bot", "bot") != {}


def test_write_that_waits_for_a_lock_for_too_long_is_certainly_not_recorded(
    host: JoinedHost, client: BrokerClient
) -> None:
    host.connection.call("BEGIN")
    host.connection.call("LOCK TABLE written IN SHARE MODE")

    with pytest.raises(LedgerUnavailable, match="lock timeout") as refused:
        client.write(a_write())
    assert not isinstance(refused.value, WriteUnknown)
    host.connection.call("COMMIT")
    client.write(a_write())


@pytest.mark.says("store_unreachable")
def test_write_without_a_server_is_certainly_not_recorded(shared_url: str, tmp_path: Path) -> None:
    nowhere = RunningBroker(f"postgresql:///none?host={tmp_path}", "one", "run")
    try:
        for _ in range(2):
            with pytest.raises(LedgerUnavailable, match="PostgreSQL") as refused:
                nowhere.client().write(a_write())
            assert not isinstance(refused.value, WriteUnknown)
    finally:
        nowhere.stop()


def test_write_without_a_broker_is_certainly_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="broker is not there") as refused:
        BrokerClient(tmp_path / "none.sock").write(a_write())
    assert not isinstance(refused.value, WriteUnknown)


@pytest.mark.parametrize("changes", [True, False])
def test_call_that_a_broker_takes_and_never_answers_is_unknown_for_writes(
    tmp_path: Path, changes: bool
) -> None:
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        client = BrokerClient(path, timeout=0.2)
        call = partial(client.put, "halt", b"") if changes else partial(client.get, "halt")
        with pytest.raises(LedgerUnavailable) as lost:
            call()
        client.close()

    assert isinstance(lost.value, WriteUnknown) is changes


def test_client_goes_on_with_a_broker_that_was_started_anew(
    shared_url: str, host: JoinedHost, broker: RunningBroker, client: BrokerClient
) -> None:
    client.put("halt", b"1")
    descriptors = list(broker.broker._clients)

    for descriptor in descriptors:
        broker.broker._clients[descriptor].connection.shutdown(socket.SHUT_RDWR)
    eventually(lambda: not broker.broker._clients)

    assert client.get("halt") == b"1"


def test_put_and_get_any_bytes(client: BrokerClient) -> None:
    content = bytes(range(256)) * 1000

    assert client.get("held") is None
    client.put("held", content)
    assert client.get("held") == content
    client.put("held", b"")
    assert client.get("held") == b""


def test_written_of_an_id_that_was_never_sent_is_false(client: BrokerClient) -> None:
    write = a_write()
    client.write(write)

    assert client.written(write.write_id) is True
    assert client.written(uuid.uuid4().hex) is False


def test_ids_of_old_writes_are_forgotten_while_nothing_else_is_done(
    host: JoinedHost, client: BrokerClient, broker: RunningBroker
) -> None:
    host.connection.call(
        "INSERT INTO written SELECT 'old-' || n, false, clock_timestamp() - interval '8 days'"
        " FROM generate_series(1, 12000) n"
    )
    write = a_write()
    client.write(write)
    broker.broker._forget_at = 0.0
    eventually(
        lambda: host.connection.call("SELECT write_id FROM written").rows == [(write.write_id,)],
        "only the id of the new write is there",
    )
    assert client.written(write.write_id)


def test_socket_of_a_broker_is_for_its_user_alone(broker: RunningBroker) -> None:
    assert stat.S_IMODE(broker.path.stat().st_mode) == 0o600


@pytest.mark.says("store_request_refused")
def test_garbled_message_ends_that_connection_only(
    broker: RunningBroker, client: BrokerClient
) -> None:
    for garbled in (
        b"\xff" * 8,
        encoded(Message(["nonsense"])),
        encoded(Message(["owners", "x; DROP"])),
    ):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(broker.path))
            stranger.sendall(garbled)
            assert stranger.recv(1) == b""

    client.put("halt", b"1")


def test_message_reader_takes_any_pieces() -> None:
    messages = [Message(["a", "b"], b"\0" * 10), Message(["c"]), Message(["d"], b"x")]
    stream = b"".join(map(encoded, messages))
    reader = MessageReader()

    pieces = [stream[place : place + 1] for place in range(len(stream))]

    assert [found for piece in pieces for found in reader.feed(piece)] == messages
    assert list(MessageReader().feed(stream)) == messages
