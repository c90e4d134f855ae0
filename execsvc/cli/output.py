"""The output of a command: text that fits a terminal, and the standard streams with their last flush.

The interpreter flushes both streams at its end as well, where no caller can catch an error any more:
it prints "Exception ignored ... BrokenPipeError" and turns the exit code into 120. So the last flush is
made here, and a stream that fails is pointed at the null device: the interpreter's flush then succeeds.
"""

from __future__ import annotations

import io
import os
import select
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

from execsvc.masking import masked


def accept_any_character() -> None:
    """Let both streams take every character: the name of a bot may be in any script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def last_flush(stream: TextIO | None) -> OSError | None:
    """Write what ``stream`` still holds; return the error that prevents the write, if any.

    A stream that was closed when the program began is None, and holds nothing.
    """
    if stream is None:
        return None
    try:
        stream.flush()
    except OSError as error:
        _silence(stream)
        return error
    return None


def reader_is_gone(wait_ms: int) -> bool:
    """Wait ``wait_ms`` milliseconds; return True at once when standard output has no reader any more.

    A stream that was closed when the program began has none either.
    """
    watched = select.poll()
    return watch_reader(watched) is None or bool(watched.poll(wait_ms))


def watch_reader(watched: select.poll) -> int | None:
    """Let ``watched`` report the loss of standard output's reader; return the stream's descriptor.

    None, and nothing is watched, when the stream was closed before the program began.
    """
    if sys.stdout is None:
        return None
    descriptor = sys.stdout.fileno()
    watched.register(descriptor, 0)  # an error and a hang-up are reported without being asked for
    return descriptor


def _silence(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


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
