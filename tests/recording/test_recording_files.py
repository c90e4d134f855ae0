from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from support.recordings import START, book, trade, write

from execsvc.errors import ConfigRefused
from execsvc.recording.files import Recording, find
from execsvc.recording.tape import Tape

GOOD = [book(0, "99", "101"), trade(100, "buy"), book(200, "98", "100")]


@pytest.mark.parametrize("name", ["market.jsonl", "market.jsonl.gz"])
def test_plain_and_packed_recordings_are_read(tmp_path: Path, name: str) -> None:
    lines = list(Recording(write(tmp_path / name, GOOD)))

    assert [line.t - START for line in lines] == [0, 100, 200]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("{", "is not JSON"),
        ("[]", "is not an object"),
        ({"t": "1", "type": "depth"}, "t is not a time"),
        ({"t": True, "type": "trade"}, "t is not a time"),
        ({"t": START + 100, "type": "tick"}, "type is neither"),
        (book(50, "99", "101"), "goes back in time"),
        (book(100, "101", "100"), "crossed"),
        (book(100, "0", "100"), "bids holds"),
        (book(100, "nan", "100"), "bids holds"),
        (book(100, "99", "x"), "asks holds"),
        ({"t": START + 100, "type": "depth", "bids": [], "asks": []}, "bids is not a list"),
        ({"t": START + 100, "type": "depth", "bids": [["1"]], "asks": []}, "bids holds"),
        (
            {
                "t": START + 100,
                "type": "depth",
                "bids": [["98", "1"], ["99", "1"]],
                "asks": [["100", "1"]],
            },
            "bids are not sorted",
        ),
        (trade(100, "up"), "side is neither"),
        (trade(100, "buy", "-1"), "no number above zero"),
        ({"t": START + 100, "type": "trade", "side": "buy"}, "no number above zero"),
    ],
)
def test_a_bad_line_is_named_by_its_number_or_left_out(
    tmp_path: Path, bad: object, why: str
) -> None:
    path = write(tmp_path / "m.jsonl", [*GOOD[:2], bad, GOOD[2]])  # type: ignore[list-item]

    with pytest.raises(ConfigRefused, match=rf"m\.jsonl, line 3: .*{why}"):
        list(Recording(path))
    lenient = Recording(path, skip_bad=True)
    assert len(list(lenient)) == 3
    assert lenient.bad == 1


def test_the_first_line_has_to_be_a_book(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", [trade(0, "buy"), *GOOD])

    with pytest.raises(ConfigRefused, match="line 1: comes before the first book"):
        list(Recording(path))


def test_a_file_without_a_book_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match="holds no book"):
        list(Recording(write(tmp_path / "m.jsonl", [])))


def test_a_file_that_was_cut_short_is_told_by_the_line(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl.gz"
    whole = gzip.compress("".join(f"{line}\n" for line in ["{}"] * 5).encode())
    path.write_bytes(write(tmp_path / "g.jsonl.gz", GOOD).read_bytes() + whole[:-12])

    with pytest.raises(ConfigRefused, match="line 4: "):
        list(Recording(path))
    lenient = Recording(path, skip_bad=True)
    assert len(list(lenient)) == 3
    assert lenient.bad >= 1


def test_a_directory_is_its_recordings_by_name(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl.gz", "README.md"):
        write(tmp_path / name, GOOD)

    assert [path.name for path in find([tmp_path])] == ["a.jsonl.gz", "b.jsonl"]
    with pytest.raises(ConfigRefused, match="no such file"):
        find([tmp_path / "c"])


def test_a_tape_tells_nothing_later_than_it_was_played_to(tmp_path: Path) -> None:
    tape = Tape(Recording(write(tmp_path / "m.jsonl", GOOD)))

    tape.play(START + 99)
    assert (tape.trades(), tape.price) == ((), 100)
    tape.play(START + 199)
    assert len(tape.trades()) == 1
    assert tape.depth("A/B", 7).best_bid == 99
    assert not tape.ended
    tape.play(START + 200)
    assert tape.depth("A/B", 7).best_bid == 98
    assert tape.ended
