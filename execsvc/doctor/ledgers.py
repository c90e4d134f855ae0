"""Every ledger and journal: readable, sound, and whether one waits for an operator."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from execsvc.doctor.finding import Finding, fault, warning, well
from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.store.bot_state import LedgerState
from execsvc.store.sqlite import paths
from execsvc.store.sqlite.database import query, reading
from execsvc.store.sqlite.held import HeldBots
from execsvc.store.sqlite.survey import survey

_CHECK = "ledgers"
_MEND = "put the file right, or move it away once its position is closed by hand"
_WAIT = "nothing is wrong with the file: see who holds it, and whether room, memory and rights are there"


def look(state_dir: Path) -> list[Finding]:
    """The findings about all ledgers in ``state_dir``."""
    if not state_dir.exists():
        return [well(_CHECK, "there are none yet")]
    if not os.access(state_dir, os.R_OK | os.X_OK):
        return [warning(_CHECK, f"{state_dir} is not ours to read", "look again as root")]
    states, unreadable = survey(state_dir)
    damaged = {**unreadable, **dict(_unsound(state_dir, unreadable))}
    journals = len(list((state_dir / paths.ACCOUNTS).glob("*.db")))
    findings = [_unreadable(stem, reason) for stem, reason in damaged.items()]
    findings += [finding for state in states for finding in _waiting(state)]
    findings += _held(state_dir)
    held = sum(state.is_open for state in states)
    what = f"{len(states)} ledgers and {journals} journals can be read, {held} positions are open"
    return [*findings, *([] if damaged else [well(_CHECK, what)])]


def _held(state_dir: Path) -> Iterator[Finding]:
    """The file that names the bots that an operator ended."""
    damage = HeldBots(state_dir).damage
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


def _unsound(state_dir: Path, known: dict[str, LedgerFailed]) -> Iterator[tuple[str, LedgerFailed]]:
    """What SQLite itself finds wrong, in files that open all the same."""
    for folder in (paths.BOTS, paths.ACCOUNTS):
        for path in sorted((state_dir / folder).glob("*.db")):
            if folder == paths.BOTS and path.stem in known:
                continue
            try:
                with reading(path) as connection:
                    verdict = query(connection, "PRAGMA quick_check(1)")[0][0]
            except LedgerFailed as error:
                yield f"{folder}/{path.stem}", error
                continue
            if verdict != "ok":
                damage = LedgerFailed(f"{path.name} is damaged: {verdict}")
                yield f"{folder}/{path.stem}", damage


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
