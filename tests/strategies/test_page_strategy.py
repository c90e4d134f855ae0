"""The strategy on the author's page: installed as the page says, it is found and trades."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest
from support.recordings import book, write

from execsvc.replay.result import Conditions
from execsvc.replay.run import ReplayJob, replay
from execsvc.strategies import registry

PAGE = Path(registry.__file__).parent / "README.rst"


def block(begin: str) -> str:
    """The literal block of the page whose first line is ``begin``."""
    found = re.search(
        rf"^    {re.escape(begin)}\n(?:(?:    .*)?\n)+", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert found
    return dedent(found[0])


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package of the page, with the entry point that the page declares."""
    info = tmp_path / "my_strategies-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_strategies\nVersion: 1.0\n")
    entry = block("[options.entry_points]").strip().splitlines()[-1].strip()
    (info / "entry_points.txt").write_text(f"[execsvc.strategies]\n{entry}\n")
    module = tmp_path / entry.split(" = ")[1].split(":")[0].replace(".", "/")
    module.parent.mkdir()
    module.with_suffix(".py").write_text(block("from decimal import Decimal"))
    monkeypatch.syspath_prepend(str(tmp_path))


def test_the_strategy_has_about_30_lines() -> None:
    assert len(block("from decimal import Decimal").strip().splitlines()) <= 35


def test_the_strategy_is_listed_with_its_parameters(installed: None) -> None:
    (entry,) = [row for row in registry.catalogue() if row["id"] == "dip_v1"]

    assert entry["description"] == "Buys a dip, takes a profit."
    assert entry["params"]["required"] == ["quote"]
    assert set(entry["params"]["properties"]) == {"quote", "dip", "profit"}


def test_the_strategy_buys_a_dip_and_takes_a_profit(installed: None, tmp_path: Path) -> None:
    prices = [100, 101, 100.5, 99.5, 99.6, 100.2, 101.5, 101.4, 99]
    rows = [
        book(second * 1000, f"{price - 0.01:.2f}", f"{price + 0.01:.2f}")
        for second, price in enumerate(prices)
    ]
    path = write(tmp_path / "market.jsonl", rows)

    result = replay(ReplayJob(path, "dip_v1", {"quote": 100}, Conditions(interval=1))).result

    assert result.errors == result.skipped_ticks == 0
    first, *_ = result.trips
    assert first.rule == "profit"
    assert first.gross == pytest.approx(Decimal(2), abs=Decimal("0.2"))
    assert len(result.trips) == 2
