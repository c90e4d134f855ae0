"""Text for a terminal: tables that fit it, and nothing that could steer it."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 80
_GAP = 2
_NARROWEST = 6


def table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int = WIDTH) -> str:
    """``rows`` under ``header``, in columns; the widest cells are cut until a line fits ``width``.

    >>> print(table(["BOT", "STATE"], [["a", "RUNNING"]]))
    BOT  STATE
    a    RUNNING
    """
    lines = [[plain_text(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    room = width - _GAP * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return "\n".join(_line(cells, widths) for cells in lines)


def plain_text(text: str) -> str:
    """``text`` on one line, without control characters: a bot's name must not steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    cut = (
        cell if len(cell) <= width else cell[: width - 1] + "…"
        for cell, width in zip(cells, widths, strict=True)
    )
    gap = " " * _GAP
    return gap.join(cell.ljust(width) for cell, width in zip(cut, widths, strict=True)).rstrip()
