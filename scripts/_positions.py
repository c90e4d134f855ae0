"""Prints a line for each position that is open, or may be, by the ledgers alone. Run by uninstall."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from execsvc.errors import ConfigRefused
from execsvc.model.bot import Mode
from execsvc.settings import Settings, load
from execsvc.store.bot_state import LedgerState
from execsvc.store.opening import open_store


def _settings(state_dir: Path) -> Settings:
    """Those of the service; where they are refused, any that are in ``state_dir``."""
    named = os.environ.get("EXECSVC_ENV_FILE")
    try:
        env_file = Path(named) if named else None
        return load({}, env_file, os.environ, services_required=False)
    except ConfigRefused:
        return load({"EXECSVC_STATE_DIR": str(state_dir)}, None, {}, services_required=False)


def _line(state: LedgerState) -> str:
    symbol = state.binding.symbol if state.binding else "unknown symbol"
    if state.position.side is None:
        return f"bot {state.bot_id}, {symbol}: an order is not settled"
    return f"bot {state.bot_id}, {symbol}, tracked {state.position.tracked}"


def _lines(settings: Settings) -> list[str]:
    states, unreadable = open_store(settings).survey()
    live = [s for s in states if s.binding is None or s.binding.mode is not Mode.PAPER]
    held = [_line(state) for state in live if state.is_open]
    return held + [f"a ledger that cannot be read: {reason}" for reason in unreadable.values()]


sys.stdout.writelines(f"{line}\n" for line in _lines(_settings(Path(sys.argv[1]))))
