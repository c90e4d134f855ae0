from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from execsvc.model.market import Depth, Level, Trade
from execsvc.recording.files import Recording, find
from execsvc.recording.lines import BookLine
from execsvc.recording.writer import DayWriter

DAY = 86_400_000
NOON = 20_000 * DAY + DAY // 2


def depth(bid: str, ask: str) -> Depth:
    return Depth(
        symbol="A/B",
        bids=(Level(Decimal(bid), Decimal(1)),),
        asks=(Level(Decimal(ask), Decimal(1)),),
    )


def dealt(t: int | None, side: str | None = "buy") -> Trade:
    return Trade(timestamp=t, price=Decimal(100), amount=Decimal("0.5"), side=side)


@pytest.mark.parametrize("name", ["m.jsonl", "m.jsonl.gz"])
def test_each_day_has_a_file_that_begins_with_a_book(tmp_path: Path, name: str) -> None:
    writer = DayWriter(tmp_path / name)
    writer.book(NOON, depth("99", "101"))
    writer.trade(dealt(NOON + 5))
    writer.trade(dealt(NOON + DAY))
    writer.book(NOON + DAY + 1, depth("98", "101"))
    writer.close()

    first, second = (list(Recording(path)) for path in find([tmp_path]))
    assert [line.t - NOON for line in first] == [0, 5]
    assert [line.t - NOON - DAY for line in second] == [0, 0, 1]
    assert isinstance(second[0], BookLine)


def test_a_file_is_gone_on_with(tmp_path: Path) -> None:
    for number in range(2):
        writer = DayWriter(tmp_path / "m.jsonl.gz")
        writer.book(NOON + number, depth("99", "101"))
        writer.close()

    assert len(list(Recording(find([tmp_path])[0]))) == 2


def test_only_what_is_new_and_whole_is_written_and_time_never_goes_back(tmp_path: Path) -> None:
    writer = DayWriter(tmp_path / "m.jsonl")
    writer.trade(dealt(NOON))  # before the first book
    writer.book(NOON + 10, depth("99", "101"))
    writer.book(NOON + 20, depth("99", "101"))
    for broken in (dealt(None), dealt(NOON + 30, None)):
        writer.trade(broken)
    writer.trade(dealt(NOON + 5))
    writer.close()

    assert [line.t - NOON for line in Recording(find([tmp_path])[0])] == [10, 10]
