"""The risk management of a row: a percentage, nothing, or a refusal in one sentence."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import bot_row

from execsvc.model import risk
from execsvc.model.bot import BotSpec, RowRefused, parse_row

D = Decimal


def parsed(management: Any) -> BotSpec:
    row = bot_row()
    row["pipeline"]["risk_management"] = copy.deepcopy(management)
    return parse_row(row)


@pytest.mark.parametrize(
    ("value", "percent"),
    [
        (5, "5"),
        (5.0, "5"),
        (D("2.5"), "2.5"),
        ("5", "5"),
        (" 7.5 ", "7.5"),
        ("1e1", "10"),
        (0.05, "0.05"),
        ("99.99", "99.99"),
        ("0.000001", "0.000001"),
    ],
)
def test_stop_loss_number_or_numeric_string_is_a_percentage(value: Any, percent: str) -> None:
    assert parsed({"stop_loss": value}).stop_loss == D(percent)


@pytest.mark.parametrize("management", [None, {}, {"stop_loss": None}, {"stop_loss": ""}])
def test_stop_loss_absent_or_cleared_is_none(management: Any) -> None:
    assert parsed(management).stop_loss is None


@pytest.mark.parametrize("zero", [0, 0.0, "0", "0.00", "-0", "0e-999999999999"])
def test_stop_loss_of_zero_is_none(zero: Any) -> None:
    assert parsed({"stop_loss": zero}).stop_loss is None


def test_a_row_without_risk_management_has_no_stop_loss() -> None:
    assert parse_row(bot_row()).stop_loss is None


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("much", '"much"'),
        ("5 %", '"5 %"'),
        ("1_0", '"1_0"'),
        (-1, "-1"),
        ("-0.1", '"-0.1"'),
        (100, "100"),
        ("100.0", '"100.0"'),
        (1e300, "1e+300"),
        (float("nan"), "NaN"),
        ("NaN", '"NaN"'),
        ("sNaN", '"sNaN"'),
        ("Infinity", '"Infinity"'),
        (True, "true"),
        ([5], "[5]"),
        ({"percent": 5}, '{"percent": 5}'),
        ("0." + "1" * 100, '"0.' + "1" * 57),
        ("1e-13", '"1e-13"'),
        ("1e-999999999999", '"1e-999999999999"'),
    ],
)
def test_stop_loss_refused_names_field_value_and_what_is_allowed(value: Any, quoted: str) -> None:
    with pytest.raises(RowRefused) as refused:
        parsed({"stop_loss": value})
    assert str(refused.value) == (
        f"pipeline.risk_management.stop_loss is {quoted}: "
        f"a number of percent from 0 to below 100 is needed"
    )


@pytest.mark.parametrize("management", [[], "5", 5, True])
def test_risk_management_that_is_no_object_is_refused(management: Any) -> None:
    with pytest.raises(RowRefused, match=r"pipeline\.risk_management is .*: an object is needed"):
        parsed(management)


@pytest.mark.parametrize(
    ("value", "asked"),
    [(10, True), ("10", True), (None, False), ("", False), (0, False), ({}, True)],
)
def test_max_drawdown_is_noted_and_changes_nothing(value: Any, asked: bool) -> None:
    spec = parsed({"max_drawdown": value})
    assert spec.has_max_drawdown is asked
    assert spec.runs_like(parsed(None))


def test_another_stop_loss_runs_otherwise() -> None:
    five = parsed({"stop_loss": 5})
    assert five.runs_like(parsed({"stop_loss": "5.0"}))
    assert not five.runs_like(parsed({"stop_loss": 6}))
    assert not five.runs_like(parsed(None))


@pytest.mark.parametrize(
    ("percent", "doubt"),
    [
        (None, None),
        ("0.1", None),
        ("5", None),
        ("0.05", "its stop loss is 0.05 %: the form's unit is percent"),
        ("0.0999", "its stop loss is 0.0999 %: the form's unit is percent"),
    ],
)
def test_doubt_about_less_than_a_tenth_of_a_percent(percent: str | None, doubt: str | None) -> None:
    assert risk.doubt_about(None if percent is None else D(percent)) == doubt


def test_a_stop_loss_survives_the_way_to_another_process() -> None:
    spec = parsed({"stop_loss": "2.50", "max_drawdown": 10})
    assert BotSpec.model_validate_json(spec.model_dump_json()) == spec
