"""With what the commands exit, after sysexits.h where it has a code."""

from __future__ import annotations

DONE = 0
FAULT = 1
USAGE = 2
UNREACHABLE = 69
RESIDUE = 75
REFUSED = 78
INTERRUPTED = 130


CUT_SHORT = 141

_OF_ALL = {
    USAGE: "wrong usage",
    INTERRUPTED: "interrupted by Ctrl-C",
    CUT_SHORT: "nobody reads its output any more",
}


def exit_codes(*codes: tuple[int, str]) -> str:
    """The end of a command's help: ``codes`` and those of all commands, and what each means."""
    meanings = sorted({**_OF_ALL, **dict(codes)}.items())
    lines = "\n".join(f"  {code:<3}  {meaning}" for code, meaning in meanings)
    return f"\b\nExit codes:\n{lines}"
