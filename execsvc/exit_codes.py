"""The exit codes of all processes, after sysexits.h where that has a code."""

from __future__ import annotations

DONE = 0
"""Done; of a trading process: every position is closed, or held as asked."""
FAULT = 1
"""A fault of the program, or a file that cannot be read or written."""
USAGE = 2
"""Wrong usage of a command."""
UNREACHABLE = 69
"""A service or the daemon does not answer."""
GAVE_UP = 70
"""A bot: its strategy kept raising, or its ledger is damaged."""
NO_LEDGER = 74
"""A bot: its ledger cannot be read or written at present."""
RESIDUE = 75
"""A position is left open that should not be."""
REFUSED = 78
"""The configuration is refused."""
INTERRUPTED = 130
"""Interrupted by Ctrl-C."""
CUT_SHORT = 141
"""The reader of the output has left."""
