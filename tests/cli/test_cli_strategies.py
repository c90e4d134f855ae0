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


def test_the_json_holds_the_whole_catalogue_as_its_service_publishes_it(execsvc: Execsvc) -> None:
    """Ids, fields and defaults of the strategy catalogue; what it publishes no default of is required."""
    known = {
        entry["id"]: entry["params"] for entry in json.loads(execsvc("strategies", "--json").out)
    }

    assert {
        strategy: {
            name: (member["type"], member.get("default"))
            for name, member in known[strategy]["properties"].items()
            if name not in ("candle_sec", "allocation_ratio")
        }
        for strategy in ("grid_v1", "rsi_basic")
    } == {
        "grid_v1": {
            "upper_price": ("number", None),
            "lower_price": ("number", None),
            "grid_count": ("integer", 10),
        },
        "rsi_basic": {
            "period": ("integer", 14),
            "buy_threshold": ("number", 30),
            "sell_threshold": ("number", 70),
        },
    }
    levels = known["grid_v1"]["properties"]["grid_count"]
    assert (levels["minimum"], levels["maximum"]) == (2, 100)
    assert known["grid_v1"]["required"] == ["upper_price", "lower_price"]
    assert "required" not in known["rsi_basic"]
    assert {"test_trading_v1", "orderflow_exhaustion_v1"} <= known.keys()


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
