"""The known strategies: the built-in ones, and those of installed packages."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

from pydantic import BaseModel

from execsvc import strategies
from execsvc.errors import ConfigRefused
from execsvc.strategies import params as params_module
from execsvc.strategies.base import AnyStrategy, Strategy

ENTRY_POINT_GROUP = "execsvc.strategies"


def _built_in() -> Iterator[type[AnyStrategy]]:
    """The strategy of each folder beside this file, which is the one class in its ``strategy.py``."""
    for folder in pkgutil.iter_modules(strategies.__path__):
        if folder.ispkg:
            module = importlib.import_module(f"{strategies.__name__}.{folder.name}.strategy")
            (strategy,) = (
                found
                for found in vars(module).values()
                if isinstance(found, type)
                and issubclass(found, Strategy)
                and found.__module__ == module.__name__
            )
            yield strategy


BUILT_IN: dict[str, type[AnyStrategy]] = {
    name: strategy for strategy in _built_in() for name in (strategy.id, *strategy.aliases)
}


class _Noted(NamedTuple):
    """The entry point of a strategy, and the time of the last installation beside it."""

    entry_point: EntryPoint
    stamp: int


_noted: dict[str, _Noted] = {}


def note_installed() -> None:
    """Find the strategies of installed packages, once for this process and those it forks.

    The search reads a file of every installed package: half of the cost of a bot's start. It is
    repeated for a strategy that is not noted, and where a package was installed or removed since.
    """
    _noted.clear()
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        stamp = _stamp(entry_point)
        if stamp is not None:
            _noted.setdefault(entry_point.name, _Noted(entry_point, stamp))


def find(strategy_id: str) -> type[AnyStrategy]:
    """The strategy ``strategy_id``. Raises ConfigRefused when there is none, or it is broken.

    Installed packages are asked last, and imported only here.
    """
    if strategy_id in BUILT_IN:
        return BUILT_IN[strategy_id]
    noted = _noted.get(strategy_id)
    if noted is not None and _stamp(noted.entry_point) == noted.stamp:
        return _load(noted.entry_point)
    installed: dict[str, EntryPoint] = {}
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        installed.setdefault(entry_point.name, entry_point)
    if strategy_id in installed:
        return _load(installed[strategy_id])
    known = sorted({strategy.id for strategy in BUILT_IN.values()} | installed.keys())
    raise ConfigRefused(f"strategy {strategy_id!r} is not known; known are {', '.join(known)}")


def parse_params(strategy: type[AnyStrategy], params: dict[str, Any]) -> BaseModel:
    """``params`` as the strategy's model. Raises ConfigRefused with a sentence for each fault."""
    return params_module.parse_params(strategy.Params, params)


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
        except Exception as error:  # noqa: BLE001 - its schema may raise anything too
            rows.append({"id": entry_point.name, "error": str(error)})
    return rows


def _stamp(entry_point: EntryPoint) -> int | None:
    """The time at which the folder of its package last changed, as by an installation; None:
    unknown.
    """
    if entry_point.dist is None:
        return None
    try:
        return os.stat(str(entry_point.dist.locate_file(""))).st_mtime_ns  # noqa: PTH116
    except OSError:
        return None


def _entry(strategy: type[AnyStrategy]) -> dict[str, Any]:
    return {
        "id": strategy.id,
        "aliases": list(strategy.aliases),
        "description": (strategy.__doc__ or "").strip().split("\n")[0],
        "params": params_module.schema_of(strategy.Params),
    }


def _load(entry_point: EntryPoint) -> type[AnyStrategy]:
    try:
        strategy = entry_point.load()
    except (Exception, SystemExit) as error:  # a third party's module may raise anything
        raise ConfigRefused(f"strategy {entry_point.name!r} cannot be loaded: {error!r}") from error
    if not isinstance(strategy, type) or not issubclass(strategy, Strategy):
        raise ConfigRefused(f"strategy {entry_point.name!r} is not a Strategy")
    if inspect.isabstract(strategy):
        raise ConfigRefused(f"strategy {entry_point.name!r} has no execute()")
    for member in ("Params", "State"):
        model = getattr(strategy, member, None)
        if not isinstance(model, type) or not issubclass(model, BaseModel):
            raise ConfigRefused(f"strategy {entry_point.name!r}: {member} is not a pydantic model")
    return strategy
