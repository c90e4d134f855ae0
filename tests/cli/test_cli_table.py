from __future__ import annotations

import pytest

from execsvc.cli.table import WIDTH, plain_text, table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    text = table(["BOT", "STATE"], [["a", "RUNNING"], ["bot-2", "HELD"]])

    assert text.splitlines() == ["BOT    STATE", "a      RUNNING", "bot-2  HELD"]


@pytest.mark.parametrize("length", [30, 200])
def test_wide_cells_are_cut_until_a_line_fits(length: int) -> None:
    text = table(["A", "B", "C"], [["x" * length, "short", "y" * length]])

    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert "short" in text


def test_a_cut_cell_says_so() -> None:
    assert "…" in table(["A"], [["x" * 100]])
    assert "…" not in table(["A"], [["x" * WIDTH]])


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert plain_text("a\x1b[31m\nb") == "a [31m b"
