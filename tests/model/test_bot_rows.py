"""A row of BotService becomes a bot, or is refused with a reason: nothing else."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc import masking
from execsvc.model.bot import (
    Binding,
    BotSpec,
    Mode,
    RowRefused,
    canonical,
    check_bot_id,
    named,
    parse_row,
    row_id,
    row_name,
)

ROW: dict[str, Any] = {
    "id": "86565374-1",
    "name": "My BTC bot",
    "status": "RUNNING",
    "status_message": None,
    "global_settings": {
        "exchange": "key",
        "symbol": "BTC/USDT",
        "account_allocation": "1000",
        "mode": "LIVE",
    },
    "pipeline": {
        "strategy": {"id": "test_trading_v1", "params": {"allocation_ratio": 0.1}},
        "triggers": {"interval_sec": 5},
    },
    "created_at": "2026-01-01T00:00:00.000000",
}
ABSENT = object()


def with_member(path: str, value: Any) -> dict[str, Any]:
    row = copy.deepcopy(ROW)
    *parents, name = path.split(".")
    place = row
    for parent in parents:
        place = place[parent]
    if value is ABSENT:
        del place[name]
    else:
        place[name] = value
    return row


def test_the_row_of_the_contract() -> None:
    assert parse_row(ROW) == BotSpec(
        bot_id="86565374-1",
        name="My BTC bot",
        binding=Binding(
            mode=Mode.LIVE, key_id="key", symbol="BTC/USDT", strategy="test_trading_v1"
        ),
        params={"allocation_ratio": 0.1},
        allocation=Decimal(1000),
        interval=5.0,
    )
    assert (parse_row(ROW).binding.base, parse_row(ROW).binding.quote) == ("BTC", "USDT")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"key_id": "a", "exchange": "b", "account_id": "c"}, "a"),
        ({"exchange": "b", "account_id": "c"}, "b"),
        ({"account_id": "c"}, "c"),
        ({"key_id": "", "exchange": None, "account_id": "c"}, "c"),
    ],
)
def test_the_key_is_the_first_that_is_set(settings: dict[str, Any], key: str) -> None:
    row = with_member("global_settings", {"symbol": "A/B", **settings})
    assert parse_row(row).binding.key_id == key


@pytest.mark.parametrize(
    ("mode", "read"),
    [
        ("LIVE", Mode.LIVE),
        ("real", Mode.LIVE),
        ("Paper", Mode.PAPER),
        (None, Mode.LIVE),
        (ABSENT, Mode.LIVE),
    ],
)
def test_modes(mode: Any, read: Mode) -> None:
    assert parse_row(with_member("global_settings.mode", mode)).binding.mode is read


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", None),
        ("name", 7),
        ("name", "a\nb\ud800"),
        ("global_settings.account_allocation", ABSENT),
        ("global_settings.account_allocation", 0),
        ("global_settings.account_allocation", 12.5),
        ("pipeline.triggers", ABSENT),
        ("pipeline.triggers", None),
        ("pipeline.triggers", {}),
        ("pipeline.triggers.interval_sec", "0.05"),
        ("pipeline.triggers.interval_sec", 3600),
        ("pipeline.strategy.params", None),
        ("pipeline.strategy.params", ABSENT),
        ("pipeline.strategy.params", {"deep": [[{"x": Decimal("0.5")}]]}),
        ("status_message", {"anything": []}),
        ("id", "ü/../x"),
        ("id", "x" * 200),
    ],
)
def test_what_may_be_missing_or_strange(path: str, value: Any) -> None:
    spec = parse_row(with_member(path, value))
    assert BotSpec.model_validate_json(spec.model_dump_json()) == spec
    assert spec.name.isprintable()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", ABSENT),
        ("id", 7),
        ("id", ""),
        ("id", "x" * 201),
        ("id", "a\nb"),
        ("global_settings", ABSENT),
        ("global_settings", []),
        ("global_settings.exchange", ABSENT),
        ("global_settings.exchange", 7),
        ("global_settings.symbol", ABSENT),
        ("global_settings.symbol", "BTCUSDT"),
        ("global_settings.symbol", "BTC/"),
        ("global_settings.symbol", "A/B/C"),
        ("global_settings.symbol", "A/A"),
        ("global_settings.mode", "BACKTEST"),
        ("global_settings.mode", 1),
        ("global_settings.account_allocation", "lots"),
        ("global_settings.account_allocation", True),
        ("global_settings.account_allocation", -1),
        ("global_settings.account_allocation", "NaN"),
        ("global_settings.account_allocation", "1e999999999"),
        ("global_settings.account_allocation", []),
        ("pipeline", ABSENT),
        ("pipeline.strategy", None),
        ("pipeline.strategy.id", ABSENT),
        ("pipeline.strategy.id", ""),
        ("pipeline.strategy.params", []),
        ("pipeline.strategy.params", {"x": "\ud800"}),
        ("pipeline.strategy.params", {"\udfff": 1}),
        ("pipeline.triggers", []),
        ("pipeline.triggers.interval_sec", "often"),
        ("pipeline.triggers.interval_sec", 0.04),
        ("pipeline.triggers.interval_sec", 3601),
        ("pipeline.triggers.interval_sec", "nan"),
        ("pipeline.triggers.interval_sec", True),
        ("pipeline.triggers.interval_sec", 10**400),
    ],
)
def test_what_makes_a_row_unusable_is_named(path: str, value: Any) -> None:
    with pytest.raises(RowRefused) as refused:
        parse_row(with_member(path, value))
    assert path.rsplit(".", maxsplit=1)[-1] in str(refused.value) or "key_id" in str(refused.value)
    assert str(refused.value).isprintable()


def test_params_that_are_nested_too_deep_are_refused() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    with pytest.raises(RowRefused, match="too deep"):
        parse_row(with_member("pipeline.strategy.params", {"x": deep}))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
PATHS = [
    "id",
    "name",
    "global_settings",
    "global_settings.exchange",
    "global_settings.symbol",
    "global_settings.account_allocation",
    "global_settings.mode",
    "pipeline",
    "pipeline.strategy",
    "pipeline.strategy.id",
    "pipeline.strategy.params",
    "pipeline.triggers",
    "pipeline.triggers.interval_sec",
]


@given(JSON | st.tuples(st.sampled_from(PATHS), JSON).map(lambda change: with_member(*change)))
def test_whatever_comes_is_a_bot_or_refused(row: Any) -> None:
    try:
        text = parse_row(row).model_dump_json()
    except RowRefused as refused:
        text = str(refused)
    assert text


def test_a_name_alone_changes_nothing_that_runs() -> None:
    spec = parse_row(ROW)
    assert spec.runs_like(parse_row(with_member("name", "other")))
    assert not spec.runs_like(parse_row(with_member("pipeline.triggers.interval_sec", 6)))
    assert not spec.runs_like(parse_row(with_member("pipeline.strategy.params", {})))


def test_equal_params_are_equal_text() -> None:
    assert canonical({"a": 1, "b": {"c": 2, "d": 3}}) == canonical({"b": {"d": 3, "c": 2}, "a": 1})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("My bot", "My bot"),
        ("бот №1 ✓ 机器人", "бот №1 ✓ 机器人"),
        ("a\nb\tc", "a b c"),
        ("\x1b[31mred\x00\u202e\ud800", "?[31mred???"),
        ("x" * 10_000, "x" * 200),
        (f"{'x' * 195}hush-hush", f"{'x' * 195}***"),
        (7, ""),
        (None, ""),
    ],
)
def test_row_name_whatever_it_holds_is_fit_to_be_shown(name: Any, shown: str) -> None:
    masking.register_secrets(["hush-hush"])
    try:
        assert row_name({"name": name}) == shown
    finally:
        masking.forget_secrets()


@pytest.mark.parametrize("row", [None, 7, "row", [[]]])
def test_row_id_without_an_object_is_refused_in_a_sentence(row: Any) -> None:
    with pytest.raises(RowRefused, match=r"^row is .+: an object is needed$"):
        row_id(row)


def test_named_id_with_a_long_name_is_short() -> None:
    assert named("b1", "x" * 200) == f"b1 ({'x' * 59}…)"


@given(JSON)
def test_an_id_is_a_printable_string_or_refused(value: Any) -> None:
    try:
        assert check_bot_id(value) == value
    except RowRefused:
        assert not (isinstance(value, str) and value.isprintable() and value)


@pytest.mark.parametrize("cleared", [None, "", ABSENT])
def test_parse_row_cleared_fields_count_as_absent(cleared: Any) -> None:
    assert parse_row(with_member("global_settings.account_allocation", cleared)).allocation is None
    assert parse_row(with_member("pipeline.triggers.interval_sec", cleared)).interval is None
    if cleared != "":
        assert parse_row(with_member("pipeline.strategy.params", cleared)).params == {}


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("global_settings", ABSENT, "global_settings is missing: an object is needed"),
        ("pipeline", [1], "pipeline is [1]: an object is needed"),
        (
            "pipeline.strategy.params",
            "fast",
            'pipeline.strategy.params is "fast": an object is needed',
        ),
        (
            "pipeline.strategy.id",
            5,
            "pipeline.strategy.id is 5: a string of 1 to 200 printable characters is needed",
        ),
        (
            "global_settings.exchange",
            None,
            "global_settings has none of key_id, exchange, account_id: the id of a key is needed",
        ),
        (
            "global_settings.account_allocation",
            "much",
            'global_settings.account_allocation is "much": a number from 0 to 1e18 is needed',
        ),
        (
            "global_settings.account_allocation",
            -1,
            "global_settings.account_allocation is -1: a number from 0 to 1e18 is needed",
        ),
        (
            "global_settings.symbol",
            "BTCUSDT",
            'global_settings.symbol is "BTCUSDT": BASE/QUOTE is needed, such as BTC/USDT',
        ),
        (
            "global_settings.mode",
            "BACKTEST",
            'global_settings.mode is "BACKTEST": LIVE, REAL or PAPER is needed',
        ),
        (
            "pipeline.triggers.interval_sec",
            0.01,
            "pipeline.triggers.interval_sec is 0.01: a number of seconds from 0.05 to 3600 is needed",
        ),
    ],
)
def test_parse_row_refused_names_field_value_and_what_is_allowed(
    path: str, value: Any, sentence: str
) -> None:
    with pytest.raises(RowRefused) as refused:
        parse_row(with_member(path, value))
    assert str(refused.value) == sentence
