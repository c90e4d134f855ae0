"""Whether the state directory may be older than the accounts: what the next start will find."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from execsvc.clients.order_history import OrderHistory
from execsvc.clock import iso
from execsvc.doctor import services
from execsvc.doctor.finding import Finding, warning, well
from execsvc.errors import LedgerFailed, Unavailable
from execsvc.model.bot import Mode
from execsvc.model.comparison import OpenPosition, Verdict, compare, held_of, is_readable
from execsvc.settings import Settings
from execsvc.store.bot_state import LedgerState
from execsvc.store.opening import open_store
from execsvc.store.reports import keeps_orders
from execsvc.store.sqlite import doubts, locked, machine
from execsvc.store.sqlite.database import query, reading
from execsvc.store.sqlite.entries import newest_order
from execsvc.store.sqlite.file_lock import SUPERVISOR_LOCK, FileLock
from execsvc.store.sqlite.paths import ACCOUNTS, ledger_path
from execsvc.store.sqlite.survey import survey

_CHECK = "restored"
_NEWER = timedelta(seconds=1)
_MOST_ASKED = 50
"""Bots whose orders BotService is asked for."""
_ASKED_FOR = {
    Verdict.GONE: "the next start books it as gone, and sells nothing",
    Verdict.CONTESTED: "the next start trades nothing of its account until: execsvc release BOT, or "
    "execsvc release BOT --keep",
}


def look(settings: Settings) -> list[Finding]:
    """The findings; a service that runs has compared at its start, and says so itself."""
    state_dir = settings.state_dir
    try:
        if FileLock(state_dir / SUPERVISOR_LOCK).is_held():
            return []
        found = [*_machine(state_dir), *_accounts(settings), *_orders(settings)]
    except LedgerFailed as error:
        return [warning(_CHECK, f"it cannot be told: {error}", "look again as root")]
    return found or [well(_CHECK, "the ledgers agree with the accounts, as far as can be told")]


def _machine(state_dir: Path) -> Iterator[Finding]:
    if machine.is_of_another(state_dir):
        yield warning(
            _CHECK,
            f"{state_dir} was last used on another machine: the next start contests every position",
            "make sure that no service runs there, then start, and release each bot (--keep)",
        )


def _accounts(settings: Settings) -> Iterator[Finding]:
    for path in sorted((settings.state_dir / ACCOUNTS).glob("*.db")):
        with reading(path) as connection:
            key_id = query(connection, "SELECT key_id FROM account")[0]["key_id"]
            positions = doubts.open_positions(connection, settings.state_dir, key_id)
            expected = doubts.expected_amounts(connection)
            locked_then = locked.amounts(connection)
            known = {(doubt.bot_id, doubt.symbol) for doubt in doubts.doubts(connection)}
        positions = [one for one in positions if (one.bot_id, one.symbol) not in known]
        if not positions:
            continue
        adapter = services.adapter(settings, services.adapter_http(settings), key_id)
        try:
            balance = adapter.balance()
            judged = [position for position in positions if is_readable(balance, position)]
            actual = held_of(balance, judged, locked_then)
            missing = compare(judged, expected, actual, {})
            prices = {one.symbol: adapter.ticker(one.symbol).price for one in missing}
        except Unavailable as error:
            yield warning(_CHECK, f"account {key_id} cannot be compared: {error}", "look again")
            continue
        for position, verdict in compare(judged, expected, actual, prices).items():
            yield _closed(position, verdict)


def _closed(position: OpenPosition, verdict: Verdict) -> Finding:
    what = f"bot {position.bot_id} ({position.symbol}): {position.told(verdict)}"
    return warning(_CHECK, what, _ASKED_FOR[verdict])


def _orders(settings: Settings) -> Iterator[Finding]:
    """Bots of which BotService knows an order that is newer than their ledger."""
    if not keeps_orders(settings, open_store(settings)):
        return
    history = OrderHistory(services.bot_service_http(settings))
    states, _ = survey(settings.state_dir)
    live = [one for one in states if one.binding is not None and one.binding.mode is Mode.LIVE]
    for state in live[:_MOST_ASKED]:
        known = _known(settings.state_dir, state)
        try:
            theirs = history.newest(state.bot_id) if known is not None else None
        except Unavailable as error:
            yield warning(_CHECK, f"what BotService knows cannot be told: {error}", "look again")
            return
        if known is not None and theirs is not None and theirs.timestamp - known > _NEWER:
            yield warning(
                _CHECK,
                f"bot {state.bot_id}: BotService knows an order of {iso(theirs.timestamp)}, the last "
                f"one of its ledger is of {iso(known)}",
                _ASKED_FOR[Verdict.CONTESTED],
            )


def _known(state_dir: Path, state: LedgerState) -> datetime | None:
    """When the newest order was sent that ledger and journal know, None before the first."""
    known = []
    with reading(ledger_path(state_dir, state.bot_id)) as connection:
        known.append(newest_order(connection))
    for path in sorted((state_dir / ACCOUNTS).glob("*.db")):
        with reading(path) as connection:
            known.append(doubts.known_order(connection, state.bot_id))
    return max((moment for moment in known if moment is not None), default=None)
