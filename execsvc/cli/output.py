"""The standard streams of a command, and the last flush of each.

The interpreter flushes both streams at its end as well, where no caller can catch an error any more:
it prints "Exception ignored ... BrokenPipeError" and turns the exit code into 120. So the last flush is
made here, and a stream that fails is pointed at the null device: the interpreter's flush then succeeds.
"""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TextIO


def accept_any_script() -> None:
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


def reader_left(wait_ms: int) -> bool:
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
