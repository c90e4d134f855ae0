"""The strategies that are found, and the errors for broken ones."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from execsvc.errors import ConfigRefused
from execsvc.strategies import registry
from execsvc.strategies.base import AnyContext, AnyStrategy, Strategy
from execsvc.strategies.registry import catalogue, check, find, parse_params
from execsvc.strategies.test_trading_v1.strategy import TrialTrading


class Params(BaseModel):
    size: int = 1

    @field_validator("size")
    @classmethod
    def _explodes(cls, value: int) -> int:
        return value // (value - 13)


class Sound(Strategy[Params, BaseModel]):
    """From a third party.

    With more to say.
    """

    id = "sound"
    Params = Params

    def execute(self, ctx: AnyContext) -> None: ...


class Other(Sound):
    id = "other"


class Unfinished(Strategy[Params, BaseModel]):
    id = "unfinished"
    Params = Params


class Bare(Strategy[Params, BaseModel]):
    id = "bare"

    def execute(self, ctx: AnyContext) -> None: ...


class Mad(Sound):
    id = "mad"
    Params = dict  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("third_party")
    for thing in (Sound, Other, Unfinished, Bare, Mad):
        setattr(module, thing.__name__, thing)
    vars(module)["number"] = 5
    monkeypatch.setitem(sys.modules, "third_party", module)
    named = {
        "sound": "third_party:Sound",
        "unfinished": "third_party:Unfinished",
        "bare": "third_party:Bare",
        "mad": "third_party:Mad",
        "number": "third_party:number",
        "missing": "third_party:nothing",
        "gone": "no_such_module:x",
        "exits": "exits_at_import:x",
        "test_trading": "third_party:Sound",
    }
    group = registry.ENTRY_POINT_GROUP
    points = [EntryPoint(name, value, group) for name, value in named.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)

    class Finder:
        @staticmethod
        def find_spec(name: str, path: Any, target: Any = None) -> None:
            if name == "exits_at_import":
                raise SystemExit(0)

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])


@pytest.mark.parametrize("name", ["test_trading_v1", "test_trading"])
def test_built_in_ones_go_by_all_their_names_and_first(name: str) -> None:
    assert find(name) is TrialTrading


def test_one_of_an_installed_package() -> None:
    assert find("sound") is Sound


BROKEN = ["unfinished", "bare", "mad", "number", "missing", "gone", "exits"]


@pytest.mark.parametrize("name", [*BROKEN, "unheard of", ""])
def test_what_cannot_be_run_is_refused(name: str) -> None:
    with pytest.raises(ConfigRefused, match="strategy"):
        find(name)


def test_what_is_not_known_is_refused_with_the_ids_that_are() -> None:
    with pytest.raises(ConfigRefused) as refused:
        find("rsi_basics")
    assert str(refused.value).startswith(
        "strategy 'rsi_basics' is not known; known are bare, exits,"
    )
    for known in ("grid_v1", "orderflow_exhaustion_v1", "rsi_basic", "sound", "test_trading_v1"):
        assert known in str(refused.value)


@pytest.mark.parametrize("strategy", dict.fromkeys(registry.BUILT_IN.values()))
def test_built_in_ones_accept_their_example_parameters(strategy: type[AnyStrategy]) -> None:
    check(strategy.id, strategy.example_params)


def test_every_fault_of_the_parameters_is_named() -> None:
    with pytest.raises(ConfigRefused) as refused:
        check("test_trading_v1", {"allocation_ratio": 2, "hold_duration": 0})
    assert len(refused.value.faults) == 2
    assert "params.allocation_ratio" in refused.value.faults[0]
    check("test_trading_v1", {"allocation_ratio": 0.5})


def test_a_validator_that_breaks_refuses() -> None:
    with pytest.raises(ConfigRefused, match="ZeroDivisionError"):
        parse_params(Sound, {"size": 13})


def test_the_catalogue_lists_the_broken_ones_with_the_reason() -> None:
    rows = {row["id"]: row for row in catalogue()}
    assert rows["test_trading_v1"]["aliases"] == ["test_trading"]
    assert "allocation_ratio" in rows["test_trading_v1"]["params"]["properties"]
    assert rows["sound"]["description"] == "From a third party."
    assert all("error" in rows[name] for name in BROKEN)


class Package:
    """A package of strategies in a folder of its own; ``looks`` counts the looks for such."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.looks = 0

    def install(self, version: str, **entries: str) -> None:
        """As pip does it: the folder of another version goes, and a new one comes."""
        self.remove()
        info = self.folder / f"third-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: third\nVersion: {version}\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (info / "entry_points.txt").write_text("\n".join(["[execsvc.strategies]", *lines, ""]))
        self.changed(version)

    def remove(self) -> None:
        for info in self.folder.iterdir():
            shutil.rmtree(info)

    def changed(self, version: str) -> None:
        """A clock of its own: two changes within one step of the file system's are none."""
        os.utime(self.folder, (0, float(version) * 100))

    def look(self, group: str) -> list[EntryPoint]:
        self.looks += 1
        found = [PathDistribution(info).entry_points for info in self.folder.iterdir()]
        return [entry for entries in found for entry in entries if entry.group == group]


@pytest.fixture
def package(plugins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    made = Package(tmp_path)
    monkeypatch.setattr(registry, "entry_points", made.look)
    made.install("1.0", mine="third_party:Sound", broken="no_such_module:x")
    registry.note_installed()
    made.looks = 0
    yield made
    registry._noted.clear()


def test_what_was_noted_is_not_looked_for_again(package: Package) -> None:
    assert find("mine") is Sound
    with pytest.raises(ConfigRefused, match="cannot be loaded"):
        find("broken")
    assert package.looks == 0


def test_a_package_that_was_upgraded_since(package: Package) -> None:
    package.install("2.0", mine="third_party:Other", new="third_party:Sound")
    assert find("mine") is Other
    assert find("new") is Sound


def test_a_package_that_was_removed_since(package: Package) -> None:
    package.remove()
    package.changed("3.0")
    with pytest.raises(ConfigRefused, match="is not known"):
        find("mine")


def test_one_that_nobody_can_tell_the_age_of_is_looked_for(plugins: None) -> None:
    registry.note_installed()
    assert not registry._noted
    assert find("sound") is Sound
