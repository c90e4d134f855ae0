"""With what the commands exit, after sysexits.h where it has a code."""

from __future__ import annotations

DONE = 0
FAULT = 1
USAGE = 2
UNREACHABLE = 69
RESIDUE = 75
REFUSED = 78
INTERRUPTED = 130


def exit_codes(*codes: tuple[int, str]) -> str:
    """The end of a command's help: ``codes`` and what each of them means."""
    lines = "\n".join(f"  {code:<3}  {meaning}" for code, meaning in codes)
    return f"\b\nExit codes:\n{lines}"
