"""``execsvc store``: the PostgreSQL that several hosts share."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from support.command import Execsvc
from support.ledger_samples import BINDING, intent, order
from support.postgresql import PostgresServer
from support.stores import store_in

SECRET = "correct-horse"


def test_store_init_then_check_are_done(
    postgresql: PostgresServer, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECSVC_STORE_URL", postgresql.url(postgresql.new_database()))
    before = execsvc("store", "check")
    assert before.code == 78
    assert "to do: execsvc store init" in before.out

    assert execsvc("store", "init").out == "The tables are made.\n"
    assert execsvc("store", "init").code == 0

    after = execsvc("store", "check", "--json")
    document = json.loads(after.out)
    assert (after.code, document["exit_code"]) == (0, 0)
    assert {finding["level"] for finding in document["findings"]} == {"ok", "warning"}
    assert all(
        finding["remedy"] for finding in document["findings"] if finding["level"] == "warning"
    )


@pytest.mark.parametrize("command", ["check", "init"])
def test_store_server_that_does_not_answer_is_unreachable_without_its_password(
    command: str, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"postgresql://bot:{SECRET}@/ledger?host={tmp_path}"
    monkeypatch.setenv("EXECSVC_STORE_URL", url)

    done = execsvc("store", command)

    assert (done.code, done.out) == (69, "")
    assert str(tmp_path) in done.err
    assert SECRET not in done.err


@pytest.mark.parametrize("command", ["check", "init"])
def test_store_without_a_url_is_refused(command: str, execsvc: Execsvc) -> None:
    done = execsvc("store", command)

    assert (done.code, done.err) == (78, "execsvc: EXECSVC_STORE_URL: is not set\n")


def test_store_without_its_library_names_the_extra(
    execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECSVC_STORE_URL", "ledger")
    monkeypatch.setattr("execsvc.cli.options.find_spec", lambda name: None)

    done = execsvc("store", "check")

    assert done.code == 78
    assert "pip install 'execsvc[postgresql]'" in done.err


@pytest.mark.parametrize("url", ["http://db/x", "postgresql://", "two words", "a;b"])
def test_store_url_of_another_kind_is_refused_unseen(
    url: str, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECSVC_STORE_URL", url)

    done = execsvc("store", "check")

    assert done.code == 78
    assert "EXECSVC_STORE_URL: is not postgresql://…, nor the name of a libpq service" in done.err
    assert url not in done.err.replace("postgresql://…", "")


@pytest.fixture
def old_state(state_dir: Path, tmp_path: Path) -> Path:
    """A state directory with one bot and an order without an outcome."""
    state_dir.mkdir(mode=0o700)
    store = store_in(state_dir, tmp_path / "run")
    with closing(store.bot("b1")) as bot:
        bot.open()
        bot.bind(BINDING, 5)
        bot.book(BINDING, order(1))
    with closing(store.account("k1")) as account:
        account.begin(intent(2))
    return state_dir


def test_store_import_takes_a_state_once_and_no_service_uses_its_files_any_more(
    old_state: Path,
    shared_url: str,
    execsvc: Execsvc,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert execsvc("log", "b1").code == 0
    monkeypatch.setenv("EXECSVC_STORE_URL", shared_url)
    first = execsvc("store", "import", str(old_state))
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines() == [
        "Taken: 1 bots, 1 accounts, 1 orders, deliveries of 0 bots.",
        "bot b1",
        "account k1",
        "account k1: an order has no outcome yet; the next host of the account settles it",
    ]

    again = execsvc("store", "import", str(old_state))
    assert (again.code, again.out) == (0, "The records were taken before.\n")
    hosts = execsvc("hosts")
    assert "Accounts without a host: k1" in hosts.out

    monkeypatch.delenv("EXECSVC_STORE_URL")
    for service in ("BOT_SERVICE", "EXCHANGE_ADAPTER"):
        monkeypatch.setenv(f"EXECSVC_{service}_URL", "http://127.0.0.1:9")
    for command in (("run",), ("check",), ("log", "b1"), ("release", "b1")):
        refused = execsvc(*command)
        assert refused.code == 78, command
        assert "was taken over into PostgreSQL" in refused.err


def test_store_import_while_a_service_runs_is_refused(
    old_state: Path,
    shared_url: str,
    tmp_path: Path,
    execsvc: Execsvc,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert store_in(old_state, tmp_path / "run").take()
    monkeypatch.setenv("EXECSVC_STORE_URL", shared_url)
    done = execsvc("store", "import", str(old_state))
    assert (done.code, done.out) == (78, "")
    assert len(done.err.splitlines()) == 1
    assert "a service runs on" in done.err


def test_store_import_of_a_directory_without_records_is_refused(
    tmp_path: Path, shared_url: str, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECSVC_STORE_URL", shared_url)
    done = execsvc("store", "import", str(tmp_path / "none"))
    assert (done.code, done.out) == (78, "")
    assert "has no records of bots" in done.err
    assert not (tmp_path / "none").exists()


def test_store_import_without_a_server_takes_nothing(
    old_state: Path, tmp_path: Path, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECSVC_STORE_URL", f"postgresql://bot@/ledger?host={tmp_path}")
    assert execsvc("store", "import", str(old_state)).code == 69
    monkeypatch.delenv("EXECSVC_STORE_URL")
    assert execsvc("log", "b1").code == 0


def test_run_with_a_store_that_never_got_the_records_of_the_directory_is_refused(
    old_state: Path, shared_url: str, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECSVC_STORE_URL", shared_url)
    for service in ("BOT_SERVICE", "EXCHANGE_ADAPTER"):
        monkeypatch.setenv(f"EXECSVC_{service}_URL", "http://127.0.0.1:9")
    done = execsvc("run")
    assert done.code == 78
    assert f"execsvc store import {old_state}" in done.err


@pytest.mark.parametrize("command", ["run", "check"])
def test_service_alone_on_the_directory_of_a_host_that_shares_its_records_is_refused(
    command: str, state_dir: Path, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    (state_dir / "copies").mkdir(mode=0o700, parents=True)
    for service in ("BOT_SERVICE", "EXCHANGE_ADAPTER"):
        monkeypatch.setenv(f"EXECSVC_{service}_URL", "http://127.0.0.1:9")
    done = execsvc(command)
    assert done.code == 78
    assert "of a host that shares its records in PostgreSQL: set EXECSVC_STORE_URL" in done.err
