"""Every ledger and journal: checks that each is sound, and that none waits for an operator."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from execsvc.doctor.finding import Finding, fault, passed, warning
from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.store.bot_state import LedgerState
from execsvc.store.service_store import ServiceStore

_CHECK = "ledgers"
_REPAIR = "repair these records, or move them elsewhere once the position in them is closed by hand"
_CHECK_ACCESS = (
    "the records are not damaged: check which process has locked them, and the disk space, memory and "
    "permissions"
)


def check(store: ServiceStore) -> list[Finding]:
    """The findings about all ledgers of ``store``."""
    place = store.place()
    if not place.exists():
        return [passed(_CHECK, "there are no ledgers yet")]
    if not place.is_readable():
        return [
            warning(_CHECK, f"{place.name} cannot be read by this user", "run this again as root")
        ]
    states, unreadable = store.survey()
    damaged = {**unreadable, **store.check(unreadable)}
    journals = store.count_accounts()
    findings = [_unreadable(place.record(name), reason) for name, reason in damaged.items()]
    findings += [finding for state in states for finding in _waiting(state)]
    findings += _held(store)
    held = sum(state.is_open for state in states)
    what = f"{len(states)} ledgers and {journals} journals can be read, {held} positions are open"
    return [*findings, *([] if damaged else [passed(_CHECK, what)])]


def _held(store: ServiceStore) -> Iterator[Finding]:
    """The finding about the record of the bots that an operator ended."""
    held = store.held()
    if held.damage is not None:
        yield fault(
            _CHECK,
            f"{held.name} cannot be read ({held.damage}): every bot that has a ledger is HELD at a start",
            "repair it and restart the service, or: execsvc release BOT for each that is to run",
        )


def _unreadable(record: str, reason: LedgerFailed) -> Finding:
    text = str(reason) if record in str(reason) else f"{record}: {reason}"
    return fault(_CHECK, text, _CHECK_ACCESS if isinstance(reason, LedgerUnavailable) else _REPAIR)


def _waiting(state: LedgerState) -> Iterator[Finding]:
    if state.contested:
        yield warning(
            _CHECK,
            f"bot {state.bot_id}: {state.contested} contested orders",
            f"compare with the exchange, then: execsvc settle {state.bot_id} --filled QTY",
        )
    if state.doubt:
        yield warning(
            _CHECK,
            f"bot {state.bot_id}: {state.doubt}",
            f"compare with the exchange, then: execsvc release {shlex.quote(state.bot_id)} [--keep]",
        )
    if state.failing:
        yield warning(
            _CHECK,
            f"bot {state.bot_id}: its liquidation failed and its position is open",
            f"execsvc log {state.bot_id} says why; the liquidation is tried again while the service runs",
        )
