"""Text for a terminal: tables that fit it, without control characters."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Sequence

from execsvc.masking import masked

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
    widths = [max(columns(cell) for cell in column) for column in zip(*lines, strict=True)]
    room = width - _GAP * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return "\n".join(_line(cells, widths) for cells in lines)


def plain_text(text: str) -> str:
    """``text`` on one line, without a secret or a control character, which would act on a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in masked(text))


def columns(text: str) -> int:
    """The columns of a terminal that ``text`` takes: letters of East Asia take two, accents none."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def cut(text: str, width: int) -> str:
    """``text`` if it fits ``width`` columns, else as much as does, and an ellipsis."""
    if columns(text) <= width:
        return text
    kept, room = "", width - 1
    for letter in text:
        room -= _columns_of(letter)
        if room < 0:
            break
        kept += letter
    return f"{kept}…"


def terminal_width() -> int:
    """Columns of the terminal, at least 80; 80 where there is none."""
    return max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)


def _columns_of(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitting = [cut(cell, width) for cell, width in zip(cells, widths, strict=True)]
    padded = (
        cell + " " * (width - columns(cell)) for cell, width in zip(fitting, widths, strict=True)
    )
    return (" " * _GAP).join(padded).rstrip()
