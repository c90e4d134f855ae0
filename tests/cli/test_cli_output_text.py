from __future__ import annotations

import pytest

from execsvc.cli.output import WIDTH, columns, cut, plain_text, table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    text = table(["BOT", "STATE"], [["a", "RUNNING"], ["bot-2", "HELD"]])

    assert text.splitlines() == ["BOT    STATE", "a      RUNNING", "bot-2  HELD"]


@pytest.mark.parametrize("length", [30, 200])
def test_wide_cells_are_cut_until_a_line_fits(length: int) -> None:
    text = table(["A", "B", "C"], [["x" * length, "short", "y" * length]])

    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert "short" in text


def test_table_cut_cell_ends_with_an_ellipsis() -> None:
    assert "…" in table(["A"], [["x" * 100]])
    assert "…" not in table(["A"], [["x" * WIDTH]])


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert plain_text("a\x1b[31m\nb") == "a [31m b"


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("BTC", 3),
        ("比特币", 6),
        ("ﾋﾞｯﾄ", 4),
        ("\uff22", 2),
        ("é", 1),
        ("e\u0301", 1),
        ("🚀", 2),
    ],
)
def test_a_letter_takes_the_columns_that_a_terminal_gives_it(text: str, width: int) -> None:
    assert columns(text) == width


@pytest.mark.parametrize("name", ["比特币" * 40, "x比" * 60, "e\u0301" * 100, "🚀" * 60, "a" * 200])
def test_a_table_fits_whatever_the_script(name: str) -> None:
    ids = ["86565374-1b1c-4a0e-9f57-000000000000", "y" * 200, "机器人/" * 50]
    rows = [[bot_id, name, "LIQUIDATING", "BTC/USDT", "PAPER", "0.00000001"] for bot_id in ids]
    lines = table(["BOT", "NAME", "STATE", "SYMBOL", "MODE", "TRACKED"], rows).splitlines()
    assert max(columns(line) for line in lines) <= WIDTH
    starts = {columns(line[: line.index("LIQUIDATING")]) for line in lines[1:]}
    assert len(starts) == 1, "columns are under each other"


@pytest.mark.parametrize("width", range(1, 12))
def test_cut_text_fits_and_ends_with_an_ellipsis(width: int) -> None:
    for text in ("abcdefghijkl", "一二三四五六七", "e\u0301" * 12):
        short = cut(text, width)
        assert columns(short) <= width
        assert short.endswith("…")
    assert cut("一二", 4) == "一二"
