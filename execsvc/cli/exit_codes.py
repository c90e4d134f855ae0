"""The meanings of the commands' exit codes, in words."""

from __future__ import annotations

from execsvc.exit_codes import (
    CUT_SHORT,
    DONE,
    FAULT,
    INTERRUPTED,
    REFUSED,
    RESIDUE,
    UNREACHABLE,
    USAGE,
)

_OF_ALL = {
    USAGE: "wrong usage",
    INTERRUPTED: "interrupted by Ctrl-C",
    CUT_SHORT: "the reader of its output has left",
}

MEANINGS = {
    DONE: "done; of run, stop and halt: every position is closed, or held as asked",
    FAULT: "a fault of the program, a file that cannot be read or written, or a daemon that refuses;"
    " stderr says which",
    USAGE: "wrong usage, or no such bot",
    UNREACHABLE: "a service or the daemon does not answer; of run: another supervisor has the state"
    " directory, or the port is taken",
    RESIDUE: "a position is left open that should not be, or its order is contested; stderr or the log"
    " names each",
    REFUSED: "the configuration is refused",
    INTERRUPTED: "interrupted by Ctrl-C",
    CUT_SHORT: "the reader of its output has left",
}
"""Each exit code with its meaning for all commands; the help of a command adds its own."""


def exit_codes(*codes: tuple[int, str]) -> str:
    """The end of a command's help: ``codes`` and those of all commands, each with its meaning."""
    meanings = sorted({**_OF_ALL, **dict(codes)}.items())
    lines = "\n".join(f"  {code:<3}  {meaning}" for code, meaning in meanings)
    return f"\b\nExit codes:\n{lines}"
