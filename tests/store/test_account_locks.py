"""The locks of accounts that all services of a machine share."""

from __future__ import annotations

import fcntl
import os
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from execsvc.model.bot import Binding, Mode
from execsvc.model.position import Position
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.paths import ledger_path
from execsvc.store.sqlite.service import account_locks
from execsvc.store.sqlite.service.account_locks import (
    AccountLocks,
    Label,
    holder,
    shared_folder,
    why_unusable,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = shared_folder(tmp_path / "execsvc-a")
    made.mkdir(parents=True)
    return made


def test_folder_of_the_units_is_in_run_lock() -> None:
    assert shared_folder(Path("/run/execsvc")) == Path("/run/lock/execsvc")
    assert shared_folder(Path("/run/execsvc-staging")) == Path("/run/lock/execsvc")


def test_account_is_of_one_service_at_a_time(folder: Path, tmp_path: Path) -> None:
    one, two = AccountLocks(folder, tmp_path / "one"), AccountLocks(folder, tmp_path / "two")
    assert one.take("k1") is None
    assert one.take("k1") is None
    why = two.take("k1")
    assert why is not None
    assert f"{tmp_path / 'one'} (pid {os.getpid()})" in why
    assert two.take("k2") is None
    assert holder(folder, "k1") == Label(str(tmp_path / "one"), os.getpid())
    assert (len(one.to_inherit("k1")), two.to_inherit("k1")) == (1, set())
    one.keep_only({"k1"})
    assert two.take("k1") is not None
    one.keep_only(())
    assert holder(folder, "k1") is None
    two.keep_only({"k1"})
    assert holder(folder, "k1") == Label(str(tmp_path / "two"), os.getpid())
    assert "k1" not in "".join(path.name for path in folder.iterdir())


def test_account_that_an_orphan_of_the_same_service_holds_is_its_own(
    folder: Path, tmp_path: Path
) -> None:
    before, after = AccountLocks(folder, tmp_path / "one"), AccountLocks(folder, tmp_path / "one")
    assert before.take("k1") is None
    assert after.take("k1") is None
    assert after.to_inherit("k1") == set()
    before.keep_only(())
    after.keep_only({"k1"})
    assert len(after.to_inherit("k1")) == 1


def test_bot_is_run_elsewhere_only_by_a_service_that_may_have_its_ledger(
    folder: Path, tmp_path: Path
) -> None:
    one, two = AccountLocks(folder, tmp_path / "one"), AccountLocks(folder, tmp_path / "two")
    assert not two.may_be_run_elsewhere("k1", "b1"), "no service has the account"
    assert one.take("k1") is None
    assert two.take("k1") is not None
    assert two.may_be_run_elsewhere("k1", "b1"), "its state directory cannot be read"
    ledger = ledger_path(tmp_path / "one", "b1")
    ledger.parent.mkdir(parents=True)
    assert not two.may_be_run_elsewhere("k1", "b1")
    ledger.touch()
    assert two.may_be_run_elsewhere("k1", "b1")
    assert not one.may_be_run_elsewhere("k1", "b1")


def _refused(*_: object) -> None:
    raise PermissionError


def test_bot_is_held_elsewhere_by_the_ledger_of_a_service_that_lives(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = AccountLocks(folder, tmp_path / "one"), AccountLocks(folder, tmp_path / "two")
    assert two.take("k2") is None
    with closing(BotLedger(tmp_path / "one", "b1", reports=False)) as ledger:
        ledger.open()
        binding = Binding(mode=Mode.LIVE, key_id="k1", symbol="BTC/USDT", strategy="s")
        ledger.bind(binding, None)
        assert one.take("k1") is None
        assert two.held_elsewhere(["b1", "b2"]) == set(), "it is flat"
        ledger.keep_position(binding, Position(tracked=Decimal(1), entry_price=Decimal(9)))
    assert two.held_elsewhere(["b1", "b2"]) == {"b1"}
    assert one.held_elsewhere(["b1"]) == set(), "its own is none of another service"
    ledger_path(tmp_path / "one", "b2").write_bytes(b"no database")
    assert two.held_elsewhere(["b1", "b2"]) == {"b1", "b2"}
    with monkeypatch.context() as patched:
        patched.setattr(account_locks.survey, "read", _refused)
        assert two.held_elsewhere(["b1"]) == set(), "a directory of another user tells nothing"
    one.keep_only(())
    assert two.held_elsewhere(["b1", "b2"]) == set(), "that service does not live"


def test_account_that_somebody_only_looks_at_is_taken(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = AccountLocks(folder, tmp_path / "one")
    assert locks.take("k1") is None
    locks.keep_only(())
    (path,) = folder.iterdir()
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(
        account_locks.os, "sched_yield", lambda: fcntl.flock(looking, fcntl.LOCK_UN)
    )
    assert AccountLocks(folder, tmp_path / "two").take("k1") is None
    os.close(looking)


def test_folder_that_others_may_write_or_that_is_not_there_keeps_no_locks(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert why_unusable(folder) is None
    folder.chmod(0o777)
    assert "not root's or ours alone" in str(why_unusable(folder))
    folder.chmod(0o750)
    monkeypatch.setattr(account_locks.os, "geteuid", lambda: 4321)
    if folder.stat().st_uid != 0:
        assert "not root's or ours alone" in str(why_unusable(folder))
    monkeypatch.undo()
    assert "is no directory" in str(why_unusable(Path(os.devnull)))
    nowhere = tmp_path / "nowhere"
    assert "No such file" in str(why_unusable(nowhere))
    assert AccountLocks(nowhere, tmp_path).take("k1") is None
    assert not nowhere.exists()
