"""The findings that the next start will make about a state directory older than the accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from execsvc.clients.order_history import OrderHistory
from execsvc.clients.service_http import adapter_http, bot_service_http
from execsvc.clock import iso
from execsvc.doctor import services
from execsvc.doctor.finding import Finding, passed, warning
from execsvc.errors import LedgerFailed, Unavailable
from execsvc.model.bot import Mode
from execsvc.model.comparison import Discrepancy, OpenPosition, compare, held_of, is_readable
from execsvc.settings import Settings
from execsvc.store.opening import open_store
from execsvc.store.reports import keeps_orders
from execsvc.store.service_store import ServiceStore

_CHECK = "restored"
_NEWER = timedelta(seconds=1)
_MOST_ASKED = 50
"""The most bots whose orders BotService is asked for."""
_REMEDIES = {
    Discrepancy.GONE: "the next start books the position as gone, and sells nothing",
    Discrepancy.CONTESTED: "the next start trades nothing of its account until: execsvc release BOT, or "
    "execsvc release BOT --keep",
}


def check(settings: Settings) -> list[Finding]:
    """The findings; a service that runs has compared at its start, and reports them itself."""
    store = open_store(settings)
    try:
        if store.is_taken():
            return []
        found = [
            *_machine(store),
            *_accounts(settings, store),
            *_orders(settings, store),
        ]
    except LedgerFailed as error:
        return [
            warning(
                _CHECK,
                f"the ledgers cannot be compared with the accounts: {error}",
                "run this again as root",
            )
        ]
    return found or [
        passed(_CHECK, "the ledgers agree with the accounts, as far as both are known")
    ]


def _machine(store: ServiceStore) -> Iterator[Finding]:
    if store.is_of_another_machine():
        yield warning(
            _CHECK,
            f"{store.place().name} was last used on another machine: the next start contests every position",
            "make sure that no service runs there, then start, and release each bot (--keep)",
        )


def _accounts(settings: Settings, store: ServiceStore) -> Iterator[Finding]:
    for key_id in store.accounts():
        with store.reading_account(key_id) as account:
            positions = account.open_positions()
            expected = account.expected_amounts()
            locked_then = account.locked()
            known = {(doubt.bot_id, doubt.symbol) for doubt in account.doubts()}
        positions = [one for one in positions if (one.bot_id, one.symbol) not in known]
        if not positions:
            continue
        adapter = services.adapter(settings, adapter_http(settings), key_id)
        try:
            balance = adapter.balance()
            readable = [position for position in positions if is_readable(balance, position)]
            actual = held_of(balance, readable, locked_then)
            missing = compare(readable, expected, actual, {})
            prices = {one.symbol: adapter.ticker(one.symbol).price for one in missing}
        except Unavailable as error:
            yield warning(_CHECK, f"account {key_id} cannot be compared: {error}", "run this again")
            continue
        for position, discrepancy in compare(readable, expected, actual, prices).items():
            yield _missing(position, discrepancy)


def _missing(position: OpenPosition, discrepancy: Discrepancy) -> Finding:
    what = f"bot {position.bot_id} ({position.symbol}): {position.detail(discrepancy)}"
    return warning(_CHECK, what, _REMEDIES[discrepancy])


def _orders(settings: Settings, store: ServiceStore) -> Iterator[Finding]:
    """The findings about bots of which BotService knows an order that is newer than their ledger."""
    if not keeps_orders(settings, store):
        return
    history = OrderHistory(bot_service_http(settings))
    states, _ = store.survey()
    live = [one for one in states if one.binding is not None and one.binding.mode is Mode.LIVE]
    for state in live[:_MOST_ASKED]:
        known = store.newest_known_order(state.bot_id)
        try:
            newest = history.newest(state.bot_id) if known is not None else None
        except Unavailable as error:
            yield warning(
                _CHECK, f"the newest orders of BotService cannot be read: {error}", "run this again"
            )
            return
        if known is not None and newest is not None and newest.timestamp - known > _NEWER:
            yield warning(
                _CHECK,
                f"bot {state.bot_id}: BotService knows an order of {iso(newest.timestamp)}, the last "
                f"one of its ledger is of {iso(known)}",
                _REMEDIES[Discrepancy.CONTESTED],
            )
