from __future__ import annotations

import json

import pytest
from support.command import Execsvc

from execsvc.errors import ConfigRefused
from execsvc.strategies import registry


def test_the_json_has_a_schema_for_each_strategy(execsvc: Execsvc) -> None:
    outcome = execsvc("strategies", "--json")

    known = {entry["id"]: entry for entry in json.loads(outcome.out)}
    assert outcome.code == 0
    assert known["test_trading_v1"]["aliases"] == ["test_trading"]
    schema = known["test_trading_v1"]["params"]
    assert schema["properties"]["hold_duration"]["default"] == 60
    assert schema["properties"]["allocation_ratio"]["default"] == 0.1
    assert "required" not in schema


def test_the_table_shows_range_and_default_and_fits(execsvc: Execsvc) -> None:
    outcome = execsvc("strategies")

    lines = outcome.out.splitlines()
    (duration,) = [line.split("  ") for line in lines if line.startswith("hold_duration")]
    assert "test_trading_v1 (also test_trading)" in lines
    assert {"from 1", "60"} <= {cell.strip() for cell in duration}
    assert any("0.1" in line for line in lines if line.startswith("allocation_ratio"))
    assert max(map(len, lines)) <= 80


def test_a_plug_in_that_cannot_be_loaded_is_named_with_the_reason(
    execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        name = "broken"

    def no_load(entry_point: object) -> None:
        raise ConfigRefused("strategy 'broken' cannot be loaded: ImportError('x')")

    monkeypatch.setattr(registry, "entry_points", lambda group: [Broken()])
    monkeypatch.setattr(registry, "_load", no_load)

    outcome = execsvc("strategies")

    assert outcome.code == 0
    assert "broken: strategy 'broken' cannot be loaded" in outcome.out
