"""A bot as BotService describes it, and the parts of its row that make a runner."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict

from execsvc.masking import masked
from execsvc.model import risk
from execsvc.model.market import Symbol

_KEY_MEMBERS = ("key_id", "exchange", "account_id")
_SYMBOL = re.compile(r"[A-Za-z0-9._:-]{1,40}/[A-Za-z0-9._:-]{1,40}")
_MODES = {"LIVE": "LIVE", "REAL": "LIVE", "PAPER": "PAPER"}
_LARGEST_ALLOCATION = Decimal("1e18")
_LONGEST_NAME = 200
_LONGEST_IN_TEXT = 60
"""Characters of a name beside an id."""
_LONGEST_VALUE = 60
"""Characters of a value that a refusal quotes."""
_DEEPEST_PARAMS = 32
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
INTERVAL_BOUNDS = (0.05, 3600.0)


class Mode(str, Enum):
    """The kind of a bot's orders: sent to the exchange, or filled on paper."""

    LIVE = "LIVE"
    PAPER = "PAPER"


class RowRefused(ValueError):
    """A row of BotService that cannot be used; the message says why."""


class InvalidRow(BaseModel):
    """A row of BotService that cannot be used, as it is reported."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Empty when the row has none."""
    reason: str


class Binding(BaseModel):
    """The conditions under which a position is opened, and is closed."""

    model_config = ConfigDict(frozen=True)

    mode: Mode
    key_id: str
    symbol: str
    strategy: str

    @property
    def base(self) -> str:
        """The asset that is bought."""
        return Symbol.parse(self.symbol).base

    @property
    def quote(self) -> str:
        """The asset that is paid with."""
        return Symbol.parse(self.symbol).quote


class BotSpec(BaseModel):
    """One usable row of BotService."""

    model_config = ConfigDict(frozen=True)

    bot_id: str
    name: str
    binding: Binding
    params: dict[str, Any]
    allocation: Decimal | None = None
    interval: float | None = None
    stop_loss: Decimal | None = None
    """Percent of the entry price; None for none."""
    has_max_drawdown: bool = False
    """True when the row asks for a maximal drawdown, which is not enforced: BotService's form has
    none.
    """

    def runs_like(self, other: BotSpec) -> bool:
        """True when nothing differs but the name shown, and members that are not enforced."""
        return self._as_run() == other._as_run()

    def _as_run(self) -> BotSpec:
        return self.model_copy(update={"name": "", "has_max_drawdown": False})


def check_bot_id(value: object) -> str:
    """``value``, when it is an id: 1 to 200 printable characters. Raises RowRefused."""
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or not value.isprintable():
        raise RowRefused(
            f"id is {_given(value)}: a string of 1 to 200 printable characters is needed"
        )
    return value


def row_id(row: object) -> str:
    """The id of the bot that ``row`` describes. Raises RowRefused."""
    if not isinstance(row, dict):
        raise RowRefused(f"row is {_quoted(row)}: an object is needed")
    return check_bot_id(row.get("id"))


def row_name(row: object) -> str:
    """The name that ``row`` gives its bot, as it is shown; empty when it gives none."""
    name = row.get("name") if isinstance(row, dict) else None
    return _shown(name) if isinstance(name, str) else ""


def short_name(name: str) -> str:
    """``name`` as it stands in a line of text: at most 60 characters.

    >>> short_name("x" * 61) == "x" * 59 + "…"
    True
    """
    return name if len(name) <= _LONGEST_IN_TEXT else f"{name[: _LONGEST_IN_TEXT - 1]}…"


def named(bot_id: str, name: str) -> str:
    """A bot in a line of text: its id, and its name where that says more.

    >>> named("b1", "My bot"), named("b1", "b1"), named("b1", "")
    ('b1 (My bot)', 'b1', 'b1')
    """
    return f"{bot_id} ({short_name(name)})" if name and name != bot_id else bot_id


def parse_row(row: object) -> BotSpec:
    """The bot that ``row`` describes. Raises RowRefused with the reason in words."""
    bot_id = row_id(row)
    assert isinstance(row, dict), "a row with an id is an object"
    settings = _member(row, "global_settings")
    pipeline = _member(row, "pipeline")
    strategy = _member(pipeline, "strategy", "pipeline.strategy")
    params = strategy.get("params")
    if params is None:
        params = {}
    if not isinstance(params, dict):
        raise RowRefused(f"pipeline.strategy.params is {_quoted(params)}: an object is needed")
    try:
        stop_loss, has_max_drawdown = risk.read(pipeline.get("risk_management"))
    except risk.Refused as refused:
        raise RowRefused(f"{refused.path} is {_quoted(refused.value)}: {refused}") from None
    return BotSpec(
        bot_id=bot_id,
        name=row_name(row) if isinstance(row.get("name"), str) else bot_id,
        binding=Binding(
            mode=_mode(settings.get("mode")),
            key_id=_key_id(settings),
            symbol=_symbol(settings.get("symbol")),
            strategy=_text(strategy.get("id"), "pipeline.strategy.id"),
        ),
        params=_plain(params, 0),
        allocation=_allocation(settings.get("account_allocation")),
        interval=_interval(pipeline.get("triggers")),
        stop_loss=stop_loss,
        has_max_drawdown=has_max_drawdown,
    )


def canonical(params: dict[str, Any]) -> str:
    """``params`` as text that is equal when the parameters are."""
    return json.dumps(params, sort_keys=True, default=str)


def _shown(name: str) -> str:
    """``name`` without characters that a terminal or an encoder cannot handle.

    It is masked before it is cut: a part of a secret would not be recognised.
    """
    kept = masked(name)[:_LONGEST_NAME]
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in kept)


def _plain(value: Any, depth: int) -> Any:
    """``value`` as JSON carries it to another process and back, unchanged."""
    if depth > _DEEPEST_PARAMS:
        raise RowRefused("pipeline.strategy.params is nested too deep")
    if isinstance(value, dict):
        return {_plain(k, depth + 1): _plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, str) and not value.isascii() and _LONE_SURROGATE.search(value):
        raise RowRefused("pipeline.strategy.params holds text that is not Unicode")
    if isinstance(value, Decimal):
        # A number too large for a float stays text, which the strategy's own check refuses.
        return float(value) if math.isfinite(float(value)) else str(value)
    return value


def _member(parent: dict[str, Any], name: str, path: str | None = None) -> dict[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise RowRefused(f"{path or name} is {_given(value)}: an object is needed")
    return value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or not value.isprintable():
        raise RowRefused(
            f"{path} is {_given(value)}: a string of 1 to 200 printable characters is needed"
        )
    return value


def _key_id(settings: dict[str, Any]) -> str:
    for name in _KEY_MEMBERS:
        if settings.get(name) not in (None, ""):
            return _text(settings[name], f"global_settings.{name}")
    raise RowRefused(
        "global_settings has none of key_id, exchange, account_id: the id of a key is needed"
    )


def _symbol(value: object) -> str:
    path = "global_settings.symbol"
    if not isinstance(value, str) or not _SYMBOL.fullmatch(value):
        raise RowRefused(f"{path} is {_quoted(value)}: BASE/QUOTE is needed, such as BTC/USDT")
    if Symbol.parse(value).base == Symbol.parse(value).quote:
        raise RowRefused(f"{path} is {_quoted(value)}: its base and quote are the same")
    return value


def _mode(value: object) -> Mode:
    if value is None:
        return Mode.LIVE
    if not isinstance(value, str) or value.upper() not in _MODES:
        raise RowRefused(f"global_settings.mode is {_quoted(value)}: LIVE, REAL or PAPER is needed")
    return Mode(_MODES[value.upper()])


def _allocation(value: object) -> Decimal | None:
    """The cap in quote units; None for a field that was left out or cleared."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
            raise InvalidOperation
        amount = Decimal(str(value))
        if not amount.is_finite() or not 0 <= amount <= _LARGEST_ALLOCATION:
            raise InvalidOperation
    except InvalidOperation:
        raise RowRefused(
            f"global_settings.account_allocation is {_quoted(value)}: a number from 0 to 1e18 is needed"
        ) from None
    return amount


def _interval(triggers: object) -> float | None:
    if triggers is None:
        return None
    if not isinstance(triggers, dict):
        raise RowRefused(f"pipeline.triggers is {_quoted(triggers)}: an object is needed")
    value = triggers.get("interval_sec")
    if value is None or value == "":
        return None
    low, high = INTERVAL_BOUNDS
    try:
        if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
            raise ValueError
        seconds = float(value)
        if not low <= seconds <= high:
            raise ValueError
    except (ValueError, OverflowError):
        raise RowRefused(
            f"pipeline.triggers.interval_sec is {_quoted(value)}: "
            f"a number of seconds from {low} to {high:g} is needed"
        ) from None
    return seconds


def _given(value: object) -> str:
    """``value`` as a refusal names it; a member that is null is as good as missing."""
    return "missing" if value is None else _quoted(value)


def _quoted(value: object) -> str:
    """``value`` as the row has it, cut short and fit for a terminal."""
    try:
        text = json.dumps(value, default=str)
    except RecursionError:
        text = "nested too deep"
    return _shown(text)[:_LONGEST_VALUE]
