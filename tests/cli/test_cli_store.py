"""``execsvc store``: the PostgreSQL that several hosts share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import Execsvc
from support.postgresql import PostgresServer

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
