"""Prints a line for each position that is open, or may be, by the ledgers alone. Run by uninstall."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from execsvc.errors import ConfigRefused
from execsvc.model.bot import Mode
from execsvc.settings import load
from execsvc.store.bot_state import LedgerState
from execsvc.store.sqlite.survey import survey


def _state_dir(otherwise: Path) -> Path:
    named = os.environ.get("EXECSVC_ENV_FILE")
    try:
        env_file = Path(named) if named else None
        return load({}, env_file, os.environ, services_required=False).state_dir
    except ConfigRefused:
        return otherwise


def _line(state: LedgerState) -> str:
    symbol = state.binding.symbol if state.binding else "unknown symbol"
    if state.position.side is None:
        return f"bot {state.bot_id}, {symbol}: an order is not settled"
    return f"bot {state.bot_id}, {symbol}, tracked {state.position.tracked}"


def _lines(state_dir: Path) -> list[str]:
    states, unreadable = survey(state_dir)
    live = [s for s in states if s.binding is None or s.binding.mode is not Mode.PAPER]
    held = [_line(state) for state in live if state.is_open]
    return held + [f"a ledger that cannot be read: {reason}" for reason in unreadable.values()]


sys.stdout.writelines(f"{line}\n" for line in _lines(_state_dir(Path(sys.argv[1]))))
