"""Snapshots on the wire, and lines out of a pipe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from execsvc.model.position import Position
from execsvc.model.result import Result
from execsvc.runner.job import Job, Task
from execsvc.runner.report import (
    LARGEST_LINE,
    End,
    EndKind,
    Snapshot,
    decode,
    encode,
    send,
    send_last,
    shown,
)
from execsvc.workers.lines import Lines

TEXT = st.text(max_size=5000)
TEXTS = ("missing", "signal", "ended", "refused")
"""The diagnostics that are text, of which a strategy may say as much as it likes."""


AMOUNT = Decimal("-1e39") - Decimal("1e-18")
RESULT = Result(currency="U" * 40, realised=AMOUNT, today=AMOUNT, day=date(2026, 1, 1))


@example(error="é" * 5000, detail="é" * 5000, why="é" * 5000)
@given(error=st.none() | TEXT, detail=TEXT, why=TEXT)
def test_a_line_fits_the_pipe_whatever_it_says(error: str | None, detail: str, why: str) -> None:
    guards = [{"guard": "daily_loss", "since": "2026-01-02T03:04:05.000Z", "detail": why}] * 4
    end = End(kind=EndKind.FAILED, detail=detail)
    seen: dict[str, str | bool] = {**dict.fromkeys(TEXTS, why), "judged": True}
    line = encode(
        Snapshot(last_error=error, end=end, result=RESULT, guards=guards, diagnostics=seen)
    )
    assert len(line) <= LARGEST_LINE
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line).end == decode(encode(decode(line))).end


def test_short_texts_arrive_whole_and_long_ones_cut() -> None:
    assert decode(encode(Snapshot(last_error="é" * 1000))).last_error == "é" * 1000
    cut = decode(encode(Snapshot(last_error="x" * 1001))).last_error
    assert cut == "x" * 999 + "…"


def test_text_that_is_not_unicode_is_sent_all_the_same() -> None:
    assert decode(encode(Snapshot(last_error="\ud800"))).last_error == "?"
    seen = {"refused": "\ud800"}
    assert decode(encode(Snapshot(diagnostics=seen))).diagnostics == {"refused": "?"}


def test_a_position_as_status_shows_it() -> None:
    position = Position(tracked=Decimal("0.0199800"), entry_price=Decimal("5.000025E4"))
    assert shown(position) == {
        "side": "BUY",
        "tracked": "0.01998",
        "sold_short": "0",
        "entry_price": "50000.25",
        "opened_at": None,
    }


def test_only_a_liquidation_works_without_a_row() -> None:
    assert Job(bot_id="b", task=Task.LIQUIDATE).spec is None
    with pytest.raises(ValueError, match="needs a spec"):
        Job(bot_id="b", task=Task.TRADE)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe2(os.O_NONBLOCK)
    yield read, write
    for descriptor in (read, write):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_a_full_pipe_drops_the_report_and_never_half_of_it(pipe: tuple[int, int]) -> None:
    read, write = pipe
    sent = 0
    while send(write, Snapshot(ticks=sent, last_error="x" * 900)):
        sent += 1
    lines = Lines(read, LARGEST_LINE).read()
    assert [decode(line).ticks for line in lines] == list(range(sent))
    assert send(write, Snapshot())


def test_nobody_reading_is_no_error(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    assert not send(pipe[1], Snapshot())
    assert not send_last(pipe[1], Snapshot())


def test_the_last_words_wait_for_room_but_not_for_ever(pipe: tuple[int, int]) -> None:
    while send(pipe[1], Snapshot()):
        pass
    assert not send_last(pipe[1], Snapshot(), patience=0.05)
    Lines(pipe[0], LARGEST_LINE).read()
    assert send_last(pipe[1], Snapshot(), patience=0.05)


def test_half_a_line_waits_for_its_rest(pipe: tuple[int, int]) -> None:
    lines = Lines(pipe[0], 100)
    os.write(pipe[1], b"ab")
    assert lines.read() == []
    os.write(pipe[1], b"c\nd")
    assert lines.read() == [b"abc"]
    os.close(pipe[1])
    assert lines.read() == []
    assert lines.ended


def test_a_line_too_long_is_dropped_and_the_next_is_not(pipe: tuple[int, int]) -> None:
    lines = Lines(pipe[0], 10)
    os.write(pipe[1], b"x" * 11)
    assert lines.read() == []
    os.write(pipe[1], b"x" * 1000 + b"\nok\n" + b"y" * 11 + b"\nalso\n")
    assert lines.read() == [b"ok", b"also"]


@given(lines=st.lists(st.binary(max_size=300), max_size=30), cuts=st.lists(st.integers(1, 100)))
def test_lines_arrive_however_they_are_cut(lines: list[bytes], cuts: list[int]) -> None:
    wanted = [line.replace(b"\n", b"") for line in lines]
    data = b"".join(line + b"\n" for line in wanted)
    read, write = os.pipe2(os.O_NONBLOCK)
    reader, got = Lines(read, 1000), []
    try:
        for cut in [*cuts, len(data)]:
            os.write(write, data[:cut])
            data = data[cut:]
            got += reader.read()
    finally:
        reader.close()
        os.close(write)
    assert got == wanted
