"""Every ledger and journal: checks whether it is sound, and whether it waits for an operator."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from execsvc.doctor.finding import Finding, fault, warning, well
from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.store.bot_state import LedgerState
from execsvc.store.service_store import ServiceStore

_CHECK = "ledgers"
_MEND = "put the file right, or move it away once its position is closed by hand"
_WAIT = "nothing is wrong with the file: see who holds it, and whether room, memory and rights are there"


def look(state_dir: Path, store: ServiceStore) -> list[Finding]:
    """The findings about all ledgers of ``store``, which is in ``state_dir``."""
    if not state_dir.exists():
        return [well(_CHECK, "there are none yet")]
    if not os.access(state_dir, os.R_OK | os.X_OK):
        return [warning(_CHECK, f"{state_dir} is not ours to read", "look again as root")]
    states, unreadable = store.survey()
    damaged = {**unreadable, **store.check(unreadable)}
    journals = store.count_accounts()
    findings = [_unreadable(stem, reason) for stem, reason in damaged.items()]
    findings += [finding for state in states for finding in _waiting(state)]
    findings += _held(store)
    held = sum(state.is_open for state in states)
    what = f"{len(states)} ledgers and {journals} journals can be read, {held} positions are open"
    return [*findings, *([] if damaged else [well(_CHECK, what)])]


def _held(store: ServiceStore) -> Iterator[Finding]:
    """The finding about the file that names the bots that an operator ended."""
    damage = store.held().damage
    if damage is not None:
        yield fault(
            _CHECK,
            f"held.json cannot be read ({damage}): every bot that has a ledger is HELD at a start",
            "repair it and restart the service, or: execsvc release BOT for each that is to run",
        )


def _unreadable(stem: str, reason: LedgerFailed) -> Finding:
    name = stem.rsplit("/", maxsplit=1)[-1]
    text = str(reason) if name in str(reason) else f"{name}.db: {reason}"
    return fault(_CHECK, text, _WAIT if isinstance(reason, LedgerUnavailable) else _MEND)


def _waiting(state: LedgerState) -> Iterator[Finding]:
    if state.contested:
        yield warning(
            _CHECK,
            f"bot {state.bot_id}: {state.contested} contested orders",
            f"look at the exchange, then: execsvc settle {state.bot_id} --filled QTY",
        )
    if state.doubt:
        yield warning(
            _CHECK,
            f"bot {state.bot_id}: {state.doubt}",
            f"look at the exchange, then: execsvc release {shlex.quote(state.bot_id)} [--keep]",
        )
    if state.failing:
        yield warning(
            _CHECK,
            f"bot {state.bot_id}: its liquidation failed and its position is open",
            f"execsvc log {state.bot_id} says why; it is tried again while the service runs",
        )
