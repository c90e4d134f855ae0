"""Tables that are added to a ledger of an older service: all of one script, or none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.ledger_samples import BINDING, order

from execsvc.errors import LedgerFailed
from execsvc.store.sqlite import database
from execsvc.store.sqlite.bot import bot_tables
from execsvc.store.sqlite.bot.booking import book
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.paths import ledger_path


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}


@pytest.mark.parametrize("schema", bot_tables.YOUNGER)
def test_what_cannot_be_added_leaves_nothing_behind(schema: str) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    whole = sqlite3.connect(":memory:", isolation_level=None)
    database.extend(whole, schema)
    names = whole.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY rowid")
    (last,) = names.fetchall()[-1]
    connection.executescript(f"CREATE TABLE other (a); CREATE INDEX {last} ON other (a)")
    before = tables(connection)
    with pytest.raises(LedgerFailed, match=f"^{Path(schema).name} cannot be added"):
        database.extend(connection, schema)
    assert tables(connection) == before
    assert not connection.in_transaction


def test_a_sale_is_booked_in_a_ledger_that_takes_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise LedgerFailed("the disk is full")

    monkeypatch.setattr(bot_tables, "extend", refused)
    ledger = BotLedger(tmp_path, "b1")
    ledger.open()
    assert "result" not in tables(ledger.connection)
    assert book(ledger, BINDING, order(1)).tracked > 0
    assert ledger.position(BINDING).tracked > 0
    ledger.close()


def opened(folder: Path) -> BotLedger:
    ledger = BotLedger(folder, "b1")
    ledger.open()
    return ledger


def test_has_table_known_table_is_asked_for_once(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as ledger:
        asked: list[str] = []
        assert database.has_table(ledger.connection, "moment")
        ledger.connection.set_trace_callback(asked.append)
        assert database.has_table(ledger.connection, "moment")
        assert database.has_table(ledger.connection, "result")
        assert asked == []


def test_has_table_missing_table_is_found_once_another_connection_has_made_it(
    tmp_path: Path,
) -> None:
    with closing(opened(tmp_path)) as ledger:
        assert not database.has_table(ledger.connection, "newer")
        with closing(sqlite3.connect(ledger_path(tmp_path, "b1"))) as other:
            other.execute("CREATE TABLE newer (a)")
        assert database.has_table(ledger.connection, "newer")


def test_has_table_of_a_transaction_that_failed_is_not_remembered(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as ledger:
        ledger.connection.execute("BEGIN IMMEDIATE")
        ledger.connection.execute("CREATE TABLE newer (a)")
        assert database.has_table(ledger.connection, "newer")
        ledger.connection.execute("ROLLBACK")
        assert not database.has_table(ledger.connection, "newer")
