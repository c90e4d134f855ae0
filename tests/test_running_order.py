"""The order in which the tests themselves run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.running_order import spread


def item(path: str, number: int, long: bool = False) -> Any:
    return SimpleNamespace(
        path=Path("/x/tests") / path,
        number=number,
        get_closest_marker=lambda name: name if long and name == "long" else None,
    )


def items() -> list[Any]:
    made = [item("daemon/test_a.py", n, long=n % 20 == 0) for n in range(100)]
    made += [item("vm/test_install.py", n) for n in range(3)]
    return made + [item("vm/test_unit.py", n) for n in range(17)]


@pytest.mark.parametrize("workers", [1, 2, 3, 6, 50, 500])
def test_every_test_runs_once(workers: int) -> None:
    given = items()
    ordered = spread(given, workers)
    assert len(ordered) == len(given)
    assert set(map(id, ordered)) == set(map(id, given))


def test_each_worker_begins_with_something_long() -> None:
    ordered = spread(items(), 6)
    firsts = [ordered[len(ordered) * n // 6] for n in range(6)]
    assert [first.path.name for first in firsts[:2]] == ["test_install.py", "test_unit.py"]
    assert all(first.get_closest_marker("long") for first in firsts[2:])


def test_what_is_not_long_stays_in_its_order() -> None:
    short = [i for i in spread(items(), 6) if i.path.name == "test_a.py" and i.number % 20]
    assert [i.number for i in short] == sorted(i.number for i in short)
