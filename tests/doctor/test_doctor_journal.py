"""The checks of the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from execsvc.doctor import journal
from execsvc.doctor.finding import FindingLevel
from execsvc.doctor.unit import Unit

REQUIREMENTS = [
    "click>=8.1.7",
    'pytest>=8; extra == "journald"',
    'no-such-library>=1; extra == "journald"',
    "another-one>=1; extra == 'metrics'",
]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a journal that is lost at a reboot."""
    monkeypatch.setattr(journal, "_SOCKET", tmp_path / "socket")
    monkeypatch.setattr(journal, "_PERSISTENT", tmp_path / "log")
    (tmp_path / "socket").touch()
    return tmp_path


def levels(unit: Unit | None = None) -> dict[str, FindingLevel]:
    return {finding.what: finding.level for finding in journal.check(unit)}


def test_libraries_of_an_extra_that_are_missing() -> None:
    assert journal.missing(REQUIREMENTS, "journald") == ["no-such-library"]
    assert journal.missing(REQUIREMENTS, "metrics") == ["another-one"]
    assert journal.missing(REQUIREMENTS, "plot") == []


def test_without_journald_nothing_is_wrong(machine: Path) -> None:
    (machine / "socket").unlink()
    assert list(levels().values()) == [FindingLevel.OK]


def test_a_journal_that_is_lost_at_a_reboot_is_a_warning(machine: Path) -> None:
    assert levels()["the journal is lost when the machine restarts"] is FindingLevel.WARNING
    (machine / "log").mkdir()
    assert levels()[f"the journal is kept in {machine / 'log'}"] is FindingLevel.OK


@pytest.mark.parametrize(
    ("burst", "interval", "level"),
    [
        ("50000", "30s", FindingLevel.OK),
        ("100", "30s", FindingLevel.WARNING),
        ("1", "0", FindingLevel.OK),
    ],
)
def test_a_rate_that_loses_a_burst_is_a_warning(
    machine: Path, burst: str, interval: str, level: FindingLevel
) -> None:
    properties = {"LogRateLimitBurst": burst, "LogRateLimitIntervalUSec": interval}
    unit = Unit("execsvc.service", {"LoadState": "loaded", **properties})

    ((_, found),) = [
        item for item in levels(unit).items() if item[0].startswith("the journal takes")
    ]

    assert found is level
