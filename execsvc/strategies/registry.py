"""Which strategies there are: the built-in ones, and those of installed packages."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel, ValidationError

from execsvc.errors import ConfigRefused
from execsvc.strategies.base import AnyStrategy, Strategy
from execsvc.strategies.test_trading_v1 import TrialTrading

ENTRY_POINT_GROUP = "execsvc.strategies"
BUILT_IN: dict[str, type[AnyStrategy]] = {
    name: strategy for strategy in (TrialTrading,) for name in (strategy.id, *strategy.aliases)
}


def find(strategy_id: str) -> type[AnyStrategy]:
    """The strategy ``strategy_id``. Raises ConfigRefused when there is none, or it is broken.

    Installed packages are asked last, and imported only here.
    """
    if strategy_id in BUILT_IN:
        return BUILT_IN[strategy_id]
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        if entry_point.name == strategy_id:
            return _load(entry_point)
    raise ConfigRefused(f"strategy {strategy_id!r} is not known")


def parse_params(strategy: type[AnyStrategy], params: dict[str, Any]) -> BaseModel:
    """``params`` as the strategy's model. Raises ConfigRefused naming every fault."""
    try:
        return strategy.Params.model_validate(params)
    except ValidationError as error:
        faults = [
            f"params.{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise ConfigRefused(*faults) from None


def check(strategy_id: str, params: dict[str, Any]) -> None:
    """Raise ConfigRefused unless a bot with this strategy and these parameters can be run."""
    parse_params(find(strategy_id), params)


def catalogue() -> list[dict[str, Any]]:
    """Every known strategy: id, aliases, first line of its description, schema of its parameters.

    One of an installed package that cannot be loaded is listed with an ``error``.
    """
    rows = [_entry(strategy) for strategy in dict.fromkeys(BUILT_IN.values())]
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        if entry_point.name in BUILT_IN:
            continue
        try:
            rows.append(_entry(_load(entry_point)))
        except ConfigRefused as error:
            rows.append({"id": entry_point.name, "error": str(error)})
    return rows


def _entry(strategy: type[AnyStrategy]) -> dict[str, Any]:
    return {
        "id": strategy.id,
        "aliases": list(strategy.aliases),
        "description": (strategy.__doc__ or "").strip().split("\n")[0],
        "params": strategy.Params.model_json_schema(),
    }


def _load(entry_point: EntryPoint) -> type[AnyStrategy]:
    try:
        strategy = entry_point.load()
    except Exception as error:  # a third party's module may raise anything at import
        raise ConfigRefused(f"strategy {entry_point.name!r} cannot be loaded: {error!r}") from error
    if not isinstance(strategy, type) or not issubclass(strategy, Strategy):
        raise ConfigRefused(f"strategy {entry_point.name!r} is not a Strategy")
    return strategy
