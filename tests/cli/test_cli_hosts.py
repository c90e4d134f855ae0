"""``execsvc hosts``: the hosts that share a PostgreSQL."""

from __future__ import annotations

import json

import pytest
from support.command import Execsvc
from support.postgresql import PostgresServer
from support.shared_hosts import a_write, expire, intent, joined

from execsvc.store.postgresql.address import address
from execsvc.store.postgresql.connection import connect
from execsvc.store.postgresql.remote import RowImage

BOT = RowImage("bot", (1,), (1, 1, "bot", "LIVE", "key", "BTC/USDT", "s", 5, None, None))


def test_hosts_shows_state_accounts_bots_and_open_orders_of_each(
    shared_url: str, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECSVC_STORE_URL", shared_url)
    connection = connect(address(shared_url), "execsvc tests")
    live, draining, silent, left = (
        joined(connection, name) for name in ("live", "draining", "silent", "left")
    )
    fence = live.fence("key")
    live.answers(
        a_write("key", fence, BOT),
        a_write("key", fence, intent(1, "UNKNOWN"), owner="key", kind="account"),
    )
    draining.leases.drain(True)
    silent.fence("silent's")
    expire(connection, "silent")
    left.fence("left's")
    left.leases.leave()
    connection.close()

    text, document = execsvc("hosts"), json.loads(execsvc("hosts", "--json").out)

    assert text.code == 0
    assert [line.split()[:2] for line in text.out.splitlines()[1:5]] == [
        *(["draining", "DRAINING"], ["left", "LEFT"], ["live", "LIVE"], ["silent", "SILENT"]),
    ]
    assert "Accounts without a host: left's" in text.out
    rows = {host["host_id"]: host for host in document["hosts"]}
    assert {name: host["accounts"] for name, host in rows.items()} == {
        "live": ["key"],
        "draining": [],
        "silent": ["silent's"],
        "left": [],
    }
    assert (rows["live"]["bots"], rows["live"]["open_orders"]) == (1, 1)
    assert 0 <= rows["live"]["beat_age"] < 600
    assert document["unowned_accounts"] == ["left's"]


def test_hosts_of_a_database_without_tables_names_the_remedy(
    postgresql: PostgresServer, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECSVC_STORE_URL", postgresql.url())

    done = execsvc("hosts")

    assert (done.code, done.out) == (78, "")
    assert "execsvc store init" in done.err


def test_hosts_without_a_url_is_refused(execsvc: Execsvc) -> None:
    assert execsvc("hosts").code == 78
