"""Parameters as a form sends them, and the sentence for each that is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from execsvc.errors import ConfigRefused
from execsvc.strategies.orderflow_exhaustion_v1.params import OrderflowParams
from execsvc.strategies.params import parse_params
from execsvc.strategies.test_trading_v1.strategy import TrialParams

D = Decimal


class ThirdParty(BaseModel):
    """A model that uses more of the library than ours do."""

    model_config = ConfigDict(extra="forbid")

    period: int = Field(ge=1, alias="Period")
    side: Literal["BUY", "SELL"] = "BUY"
    ratio: float = Field(default=1.0, gt=0, lt=1)
    password: SecretStr = SecretStr("")
    levels: list[int] = []
    note: str | None = "none"

    @field_validator("levels")
    @classmethod
    def _rising(cls, value: list[int]) -> list[int]:
        if value != sorted(value):
            raise ValueError("levels have to rise")
        return value


def faults_of(model: type[BaseModel], **params: Any) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        parse_params(model, params)
    return list(refused.value.faults)


@pytest.mark.parametrize("model", [TrialParams, OrderflowParams])
def test_parse_params_nothing_or_nulls_given_defaults_hold(model: type[BaseModel]) -> None:
    cleared = dict.fromkeys(model.model_fields)
    assert parse_params(model, {}) == parse_params(model, cleared) == model()


@pytest.mark.parametrize("seconds", [5, "5", 5.0, D(5)])
def test_parse_params_whole_seconds_in_any_form_taken(seconds: Any) -> None:
    assert parse_params(TrialParams, {"hold_duration": seconds}) == TrialParams(hold_duration=5)
    cooled = parse_params(OrderflowParams, {"cooldown_sec": seconds})
    assert cooled == OrderflowParams(cooldown_sec=5)


@pytest.mark.parametrize(
    ("model", "given", "sentence"),
    [
        (
            TrialParams,
            {"hold_duration": 5.5},
            "params.hold_duration is 5.5: a whole number of at least 1 is needed",
        ),
        (
            TrialParams,
            {"allocation_ratio": "much"},
            'params.allocation_ratio is "much": a number above 0 and of at most 1 is needed',
        ),
        (
            OrderflowParams,
            {"stop_loss_pct": 5},
            "params.stop_loss_pct is 5: a number from 0 to 0.1 is needed",
        ),
        (
            OrderflowParams,
            {"depth_limit": True},
            "params.depth_limit is true: a whole number from 5 to 200 is needed",
        ),
        (ThirdParty, {}, "params.Period is missing: a whole number of at least 1 is needed"),
        (
            ThirdParty,
            {"Period": None},
            "params.Period is missing: a whole number of at least 1 is needed",
        ),
        (
            ThirdParty,
            {"Period": 1, "side": "HOLD"},
            'params.side is "HOLD": one of BUY, SELL is needed',
        ),
        (
            ThirdParty,
            {"Period": 1, "leverage": 3},
            "params.leverage is not a parameter of this strategy",
        ),
        (
            ThirdParty,
            {"Period": 1, "password": 7},
            "params.password is not usable: text is needed",
        ),
        (
            ThirdParty,
            {"Period": 1, "levels": [2, 1]},
            "params.levels is [2, 1]: levels have to rise",
        ),
        (
            ThirdParty,
            {"Period": 1, "levels": [1, "two"]},
            'params.levels.1 is "two": has to be a valid integer, unable to parse string as an integer',
        ),
    ],
)
def test_parse_params_refused_one_plain_sentence(
    model: type[BaseModel], given: dict[str, Any], sentence: str
) -> None:
    assert faults_of(model, **given) == [sentence]


def test_parse_params_null_of_a_field_that_may_be_null_is_cleared() -> None:
    assert parse_params(ThirdParty, {"Period": 1, "note": None}) == ThirdParty(Period=1)


def test_parse_params_long_value_is_cut() -> None:
    (sentence,) = faults_of(TrialParams, hold_duration="9" * 500 + "x")
    assert len(sentence) < 200
