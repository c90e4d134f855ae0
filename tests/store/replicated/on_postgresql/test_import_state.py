"""The records of a service that ran on one host alone, in PostgreSQL: the same to the digit, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from store.test_fence_conformance import (
    ACCOUNT_READS,
    BOT_READS,
    prepare_account,
    seen_of_account,
    seen_of_bot,
)
from support.dumps import dump
from support.ledger_samples import AT, BINDING, fill, intent, order
from support.postgres_hosts import PostgresHosts
from support.shared_hosts import joined
from support.store_files import ledger_path, move_to_another_machine

from execsvc.clock import SimulatedClock, installed
from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.model.order import OrderState, Side
from execsvc.model.order_report import ReportKind
from execsvc.model.position import Position
from execsvc.model.refusal import SizeAnswer
from execsvc.store.bot_store import BotStore
from execsvc.store.outbox import Mark
from execsvc.store.postgresql.address import address
from execsvc.store.postgresql.connection import DatabaseConnection, connect
from execsvc.store.replicated.import_state import ImportResult, import_state
from execsvc.store.sqlite import taken_over
from execsvc.store.sqlite.database import reading
from execsvc.store.sqlite.paths import journals, ledgers
from execsvc.store.sqlite.store import SqliteStore

SECOND = BINDING.model_copy(update={"symbol": "ETH/USDT"})


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state directory in which two bots have traded: see :func:`trade`."""
    folder = tmp_path / "old"
    folder.mkdir()
    trade(SqliteStore(folder, tmp_path / "run"))
    return folder


@pytest.fixture
def take(shared_url: str, state_dir: Path, tmp_path: Path) -> Callable[[], ImportResult | None]:
    """Import that directory, over a connection of its own."""

    def run() -> ImportResult | None:
        with closing(connect(address(shared_url), "execsvc tests")) as connection:
            return import_state(connection, state_dir, tmp_path / "run")

    return run


@pytest.fixture
def connection(shared_url: str) -> Iterator[DatabaseConnection]:
    with closing(connect(address(shared_url), "execsvc tests")) as made:
        yield made


def trade(store: SqliteStore) -> None:
    """Many orders with results, a contested one, one in flight, dust, a short position, held, halted."""
    with closing(store.bot("b1", reports=True)) as bot:
        bot.open()
        bot.bind(BINDING, 5)
        buy_and_sell(bot, range(10, 30))
        dust = Position(tracked=Decimal("0.000010000"), entry_price=Decimal("50000.10"), dust=True)
        bot.keep_position(BINDING, dust)
        bot.keep_position(SECOND, Position(sold_short=Decimal("1.50")))
        bot.keep_state("s", '{"n": 1.0}')
        answer = SizeAnswer("c1", Side.SELL, Decimal("0.02"), None, None, AT)
        bot.add_size_answer("k1", "BTC/USDT", answer, AT)
        bot.log(AT, "bot_flat", "a\0b", {"n": "Ünï"})
    with closing(store.bot("b/2")) as paper:
        paper.open()
    with closing(store.account("k1")) as account:
        prepare_account(account)
    with closing(store.account("k2")) as account:
        contested = intent(3).model_copy(update={"key_id": "k2"})
        account.begin(contested)
        account.outcome("c3", OrderState.CONTESTED, fill(), AT)
    store.held().add("b1", keeps=True)
    store.halt().begin("by a test")
    with closing(store.deliveries()) as deliveries:
        deliveries.open()
        deliveries.delivered(store.name_of("b1"), Mark("c11", ReportKind.ORDER), '"7"', AT)
        deliveries.keep_session(store.name_of("b1"), "s1", '"8"')


def buy_and_sell(bot: BotStore, numbers: range) -> None:
    for number in numbers[::2]:
        bot.book(BINDING, order(number, fee="0.00002"))
        bot.book(BINDING, order(number + 1, Side.SELL, filled="0.01998"))


def files(state_dir: Path) -> dict[str, object]:
    """The content of all ledgers and journals."""
    found: dict[str, object] = {}
    for path in (*ledgers(state_dir), *journals(state_dir)):
        with reading(path) as connection:
            found[path.stem] = dump(connection)
    return found


def rows(connection: DatabaseConnection) -> str | None:
    """The count of rows that an import could have left."""
    sql = (
        "SELECT (SELECT count(*) FROM bot_bot) + (SELECT count(*) FROM account_account)"
        " + (SELECT count(*) FROM account) + (SELECT count(*) FROM service_record)"
    )
    return connection.call(sql).rows[0][0]


def test_imported_records_read_as_before_to_the_digit(
    take: Callable[[], ImportResult | None], state_dir: Path, backend: PostgresHosts, tmp_path: Path
) -> None:
    old = SqliteStore(state_dir, tmp_path / "run")
    with closing(old.bot("b1", reports=True)) as bot:
        bot.open()
        buy_and_sell(bot, range(30, 1030))
    before = files(state_dir)
    with installed(SimulatedClock(AT)):
        states = old.survey()
        logs = [
            (row.seq, row.at, row.event, row.text.replace("\0", "\N{SYMBOL FOR NULL}"), row.data)
            for row in old.read_log("b1")
        ]
        seen = {"bot": seen_of_bot(old), "account": seen_of_account(old)}

        taken = take()

        assert taken is not None
        assert files(state_dir) == before, "the old files stay"
        service = backend.service("one")
        assert service.survey() == states
        assert logs == [
            (row.seq, row.at, row.event, row.text, row.data) for row in service.read_log("b1")
        ]
        claims = service.claims()
        assert [claims.take(key_id) for key_id in ("k1", "k2")] == [None, None]
        after = {"bot": seen_of_bot(service), "account": seen_of_account(service)}
    assert set(seen["bot"]) == set(BOT_READS)
    assert set(seen["account"]) == set(ACCOUNT_READS)
    assert after["bot"] == seen["bot"]
    assert {**after["account"], "fence": 0} == {**seen["account"], "fence": 0}
    assert service.held().bots == {"b1": True}
    halted = service.halt().current
    assert halted == old.halt().current
    with closing(service.deliveries()) as deliveries:
        deliveries.open()
        assert deliveries.mark(service.name_of("b1")) == Mark("c11", ReportKind.ORDER)
        assert deliveries.given("c11") == '"7"'
        assert deliveries.session(service.name_of("b1"), "s1") == '"8"'
    assert (taken.bots, taken.accounts) == (["b1", "b/2"], ["k1", "k2"])
    assert (taken.open_orders, taken.held, taken.is_halted) == (["k1"], ["b1"], True)
    assert taken.orders == 1020


def test_open_order_is_settled_by_the_next_host(
    take: Callable[[], ImportResult | None], backend: PostgresHosts
) -> None:
    take()
    service = backend.service("one")
    assert service.claims().take("k1") is None
    with closing(service.account("k1")) as account:
        found = account.unsettled()
        assert found is not None
        assert found.intent == intent(1)
        account.outcome("c1", OrderState.NOT_EXECUTED, fill("0"), AT)
        assert account.unsettled() is None


def test_import_again_changes_nothing(
    take: Callable[[], ImportResult | None], backend: PostgresHosts, state_dir: Path
) -> None:
    take()
    backend.service("one").held().discard("b1")
    assert take() is None
    assert dict(backend.service("one").held().bots) == {}

    taken_over.unmark(state_dir)  # as in a copy of the directory from before
    again = take()
    assert again is not None
    assert (again.bots, again.accounts) == ([], [])
    assert again.known == ["account k1", "account k2", "bot b1", "bot b/2"]


def test_import_of_records_that_differ_is_refused_whole(
    take: Callable[[], ImportResult | None],
    state_dir: Path,
    tmp_path: Path,
    connection: DatabaseConnection,
) -> None:
    take()
    taken_over.unmark(state_dir)
    store = SqliteStore(state_dir, tmp_path / "run")
    with closing(store.bot("b1")) as bot:
        bot.open()
        bot.log(AT, "bot_flat", "later", {})
    with closing(store.account("k3")) as account:
        account.ask_release("b1", AT)
    before = rows(connection)

    with pytest.raises(ConfigRefused, match="other records of bot b1: nothing was taken"):
        take()

    assert rows(connection) == before
    assert taken_over.read(state_dir) is None


def test_import_while_a_service_or_a_bot_runs_is_refused(
    take: Callable[[], ImportResult | None],
    state_dir: Path,
    tmp_path: Path,
    connection: DatabaseConnection,
) -> None:
    store = SqliteStore(state_dir, tmp_path / "run")
    with closing(store.bot("b1")) as bot:
        bot.open()
        with pytest.raises(ConfigRefused, match="a service runs on"):
            take()
    assert store.take()
    with pytest.raises(ConfigRefused, match="a service runs on"):
        take()
    assert rows(connection) == "0"
    assert taken_over.read(state_dir) is None


def test_import_of_an_account_that_a_host_has_claimed_is_refused(
    take: Callable[[], ImportResult | None], state_dir: Path, connection: DatabaseConnection
) -> None:
    host = joined(connection, "one")
    host.fence("k2")
    with pytest.raises(ConfigRefused, match="host one has claimed account k2"):
        take()
    assert connection.call("SELECT FROM account_account").rows == []
    assert taken_over.read(state_dir) is None
    host.leases.leave()
    assert take() is not None


def test_import_of_a_record_that_cannot_be_read_names_it(
    take: Callable[[], ImportResult | None], state_dir: Path, connection: DatabaseConnection
) -> None:
    path = ledger_path(state_dir, "b/2")
    path.write_bytes(b"not a database" * 1000)
    (state_dir / "held.json").write_text("{")
    with pytest.raises(LedgerFailed, match=path.stem) as caught:
        take()
    assert "held.json" in str(caught.value)
    assert rows(connection) == "0"
    assert taken_over.read(state_dir) is None


def test_import_from_another_machine_is_refused(
    take: Callable[[], ImportResult | None], state_dir: Path, connection: DatabaseConnection
) -> None:
    move_to_another_machine(state_dir)
    with pytest.raises(ConfigRefused, match="another machine"):
        take()
    assert rows(connection) == "0"


def test_directory_that_was_taken_is_not_taken_into_another_database(
    take: Callable[[], ImportResult | None], connection: DatabaseConnection
) -> None:
    take()
    connection.call("DELETE FROM service_record")
    with pytest.raises(ConfigRefused, match="another PostgreSQL"):
        take()


def test_host_does_not_claim_an_account_while_it_is_imported(
    take: Callable[[], ImportResult | None], connection: DatabaseConnection
) -> None:
    take()
    host = joined(connection, "one")
    row = host.account("k1")
    assert row is not None
    assert (row.owner, row.fence) == (None, 2)
    assert host.takes("k1")
