"""Ledgers that are sound, damaged, or wait for an operator."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from support.ledger_samples import AT, BINDING, fill, intent
from support.store_files import journal_path, ledger_path
from support.stores import store_in

from execsvc.doctor import ledgers
from execsvc.doctor.finding import Finding, FindingLevel
from execsvc.model.order import OrderState
from execsvc.model.position import Position


def make_bot(state_dir: Path, bot_id: str = "b1", tracked: str = "0") -> Path:
    ledger = store_in(state_dir).bot(bot_id)
    ledger.open()
    ledger.bind(BINDING, None)
    ledger.keep_position(BINDING, Position(tracked=Decimal(tracked), opened_at=AT))
    ledger.close()
    return ledger_path(state_dir, bot_id)


def contest(state_dir: Path) -> None:
    journal = store_in(state_dir).account("k1")
    journal.begin(intent())
    journal.outcome("c1", OrderState.CONTESTED, fill(), AT)
    journal.close()


def findings(state_dir: Path) -> list[Finding]:
    return ledgers.check(store_in(state_dir))


def bad(state_dir: Path) -> list[Finding]:
    return [finding for finding in findings(state_dir) if finding.level is not FindingLevel.OK]


def spoil(path: Path) -> None:
    """Damage pages behind the first, which opening alone does not read."""
    content = bytearray(path.read_bytes())
    content[4096 : 4096 + 2048] = b"\xff" * 2048
    path.write_bytes(content)


def test_no_ledgers_are_ok(tmp_path: Path) -> None:
    assert bad(tmp_path) == []
    assert bad(tmp_path / "none") == []


def test_ledgers_and_open_positions_are_counted(tmp_path: Path) -> None:
    make_bot(tmp_path, "b1", "0.5")
    make_bot(tmp_path, "b2")

    (finding,) = findings(tmp_path)

    assert finding.level is FindingLevel.OK
    assert finding.what.startswith("2 ledgers and 0 journals")
    assert "1 positions are open" in finding.what


def test_an_empty_ledger_is_a_fault_and_the_others_are_read(tmp_path: Path) -> None:
    make_bot(tmp_path, "b1")
    path = make_bot(tmp_path, "b2")
    path.write_bytes(b"")

    (finding,) = bad(tmp_path)

    assert finding.level is FindingLevel.FAULT
    assert path.name in finding.what


def test_damage_that_opening_does_not_find_is_found(tmp_path: Path) -> None:
    path = make_bot(tmp_path)
    spoil(path)

    assert [finding.level for finding in bad(tmp_path)] == [FindingLevel.FAULT]
    assert path.name in bad(tmp_path)[0].what


def test_a_damaged_journal_is_found(tmp_path: Path) -> None:
    contest(tmp_path)
    spoil(journal_path(tmp_path, "k1"))

    assert [finding.level for finding in bad(tmp_path)] == [FindingLevel.FAULT]


def test_a_contested_order_waits_for_an_operator(tmp_path: Path) -> None:
    make_bot(tmp_path)
    contest(tmp_path)

    (finding,) = bad(tmp_path)

    assert finding.level is FindingLevel.WARNING
    assert "execsvc settle b1" in finding.do


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file but those that SQLite itself makes beside a database, for any reader."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if not path.name.endswith(("-shm", "-wal"))}


def test_check_changes_nothing(tmp_path: Path) -> None:
    make_bot(tmp_path, "b1", "0.5")
    contest(tmp_path)
    before = contents(tmp_path)

    findings(tmp_path)

    assert contents(tmp_path) == before


def test_a_list_of_held_bots_that_cannot_be_read_is_a_fault(
    tmp_path: Path,
) -> None:
    (tmp_path / "held.json").write_text("x")
    (finding,) = bad(tmp_path)
    assert finding.level is FindingLevel.FAULT
    assert "held.json" in finding.what
