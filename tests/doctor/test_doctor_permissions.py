"""Owners and modes of the directories and files of the service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.requirements import needs
from support.settings import settings

from execsvc.doctor import permissions
from execsvc.doctor.finding import Cause, Finding, FindingLevel
from execsvc.settings import Settings

ANOTHER_UID = os.geteuid() + 1


@pytest.fixture
def places(tmp_path: Path) -> Settings:
    """Both directories as the service makes them."""
    for name in ("state", "run"):
        (tmp_path / name).mkdir(mode=0o700)
    return settings(state_dir=str(tmp_path / "state"), runtime_dir=str(tmp_path / "run"))


def bad(places: Settings, owner: int | None = None, env_file: Path | None = None) -> list[Finding]:
    found = permissions.check(places, owner, env_file)
    return [finding for finding in found if finding.level is not FindingLevel.OK]


def test_directories_as_the_service_makes_them(places: Settings) -> None:
    assert bad(places) == []


def test_directories_that_do_not_exist_yet(tmp_path: Path) -> None:
    missing = settings(state_dir=str(tmp_path / "x"), runtime_dir=str(tmp_path / "y"))
    assert bad(missing) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "mode", "faults"),
    [("state", 0o755, 0), ("state", 0o720, 1), ("run", 0o750, 1), ("run", 0o701, 1)],
)
def test_modes(places: Settings, tmp_path: Path, name: str, mode: int, faults: int) -> None:
    (tmp_path / name).chmod(mode)

    found = bad(places)

    assert [f.cause for f in found] == [Cause.CONFIGURATION] * faults
    assert all(f"{mode:04o}" in f.what for f in found)


def test_directories_of_another_user(places: Settings) -> None:
    found = bad(places, owner=ANOTHER_UID)

    assert [f.cause for f in found] == [Cause.CONFIGURATION] * 2
    assert all("belongs to" in f.what for f in found)


@needs("root")
def test_files_that_root_left_are_named(places: Settings) -> None:
    folder = places.state_dir / "bots"
    folder.mkdir()
    for n in range(5):
        (folder / f"{n}.db-wal").touch()
        os.chown(folder / f"{n}.db-wal", ANOTHER_UID, -1)

    (finding,) = bad(places)

    assert finding.level is FindingLevel.FAULT
    assert "bots/0.db-wal, bots/1.db-wal, bots/2.db-wal and 2 more" in finding.what
    assert finding.do.startswith("chown -R")


@pytest.mark.parametrize(
    ("text", "mode", "level"),
    [
        ("EXECSVC_HTTP_TOKEN=abc", 0o644, FindingLevel.FAULT),
        ("EXECSVC_HTTP_TOKEN=abc", 0o640, FindingLevel.OK),
        ("EXECSVC_POLL_INTERVAL=5", 0o644, FindingLevel.OK),
        ('EXECSVC_HTTP_TOKEN="\nabc', 0o604, FindingLevel.FAULT),
    ],
)
def test_an_env_file_with_a_token_is_for_its_owner_only(
    tmp_path: Path, text: str, mode: int, level: FindingLevel
) -> None:
    file = tmp_path / "execsvc.env"
    file.write_text(text)
    file.chmod(mode)

    finding = permissions.env_file_finding(file)

    assert finding.level is level
    assert "abc" not in finding.what + finding.do


def test_an_env_file_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    assert permissions.env_file_finding(tmp_path / "none").level is FindingLevel.WARNING
