"""Queries of the two services, by the same clients as the daemon's; no order is placed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from execsvc.clients.bot_service import BOOTING, MAY_BE_CUT, STOPPING, BotService, Listing
from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient
from execsvc.clients.service_http import bot_service_http
from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.execution.sizing import may_hold_nothing
from execsvc.model.bot import BotSpec, InvalidRow, Mode, named, short_name
from execsvc.settings import Settings, Switch
from execsvc.store.account_store import NEVER_PAUSED
from execsvc.store.opening import open_store
from execsvc.strategies import registry


class ReadOnlyPause:
    """The pause of an account, respected and never prolonged: the checks write nothing."""

    def __init__(self, settings: Settings, key_id: str) -> None:
        self._pause = open_store(settings).pause(key_id)

    def remaining(self) -> float:
        """Seconds left of the pause; none where the state directory cannot be read."""
        try:
            return self._pause.remaining()
        except LedgerFailed:
            return NEVER_PAUSED

    def pause(self, seconds: float) -> None:
        """Do nothing: the bots notice a pause by themselves."""

    def banned(self) -> float:
        """Seconds left of a ban; none where the state directory cannot be read."""
        try:
            return self._pause.banned()
        except LedgerFailed:
            return NEVER_PAUSED

    def ban(self, seconds: float, why: str) -> None:
        """Do nothing: the bots notice a ban by themselves."""


def adapter(settings: Settings, http: HttpClient, key_id: str) -> ExchangeAdapter:
    """The adapter as one account sees it."""
    return ExchangeAdapter(http, key_id, ReadOnlyPause(settings, key_id))


@dataclass(frozen=True)
class Rows:
    """The rows of BotService that are to run, and texts about them."""

    listing: Listing
    """The listing as the daemon reads it."""
    found: str
    """The number of rows of each status, and the state of the reports."""
    waiting: str | None
    """The rows that no part of the service handles, and the setting that they need."""


def rows(settings: Settings) -> Rows:
    """The rows that BotService has, of every status that matters.

    Raises Unavailable. Rows that are BOOTING or STOPPING are queried also where the daemon would not:
    they may be the fault.
    """
    needed = settings.bot_lifecycle is Switch.ON
    optional = None if needed else settings.request_timeout
    http = bot_service_http(settings)
    found = BotService(http, settings.page_size, lifecycle=True, optional=optional).listing()
    running = len(found.bots) + len(found.invalid) - len(found.booting)
    counts = {BOOTING: len(found.booting), STOPPING: len(found.stopping)}
    counted = [f"{running} RUNNING", *(_counted(found, *item) for item in counts.items())]
    text = f"{', '.join(counted)}; reports are {_reports(settings)}"
    if settings.bot_lifecycle is not Switch.OFF:
        return Rows(found, text, None)
    unserved = [f"{count} {status}" for status, count in counts.items() if count]
    waiting = f"{' and '.join(unserved)} wait in vain: EXECSVC_BOT_LIFECYCLE is false"
    return Rows(_without_booting(found), text, waiting if unserved else None)


def _counted(found: Listing, status: str, count: int) -> str:
    if status in found.unsupported:
        return f"{status} is refused"
    return f"{status} is not answered" if status in found.unanswered else f"{count} {status}"


def _reports(settings: Settings) -> str:
    if settings.report_ledger is Switch.OFF:
        return "switched off"
    try:
        takes = open_store(settings).takes_reports()
    except LedgerFailed as error:
        return f"unknown ({error})"
    return {True: "taken", False: "not taken", None: "not tried"}[takes]


def _without_booting(found: Listing) -> Listing:
    idle = set(found.booting)
    return found.model_copy(
        update={
            "bots": {key: row for key, row in found.bots.items() if key not in idle},
            "invalid": {key: why for key, why in found.invalid.items() if key not in idle},
            "booting": (),
        }
    )


def refused_rows(found: Listing) -> list[str]:
    """The bots whose strategy or parameters no runner would take, a line each."""
    lines = []
    for bot_id, spec in found.bots.items():
        try:
            registry.check(spec.binding.strategy, spec.params)
        except ConfigRefused as refused:
            lines.append(f"bot {named(bot_id, spec.name)}: {refused}")
    return lines


def remarks(found: Listing) -> list[str]:
    """The parts of the listing that work but may not be meant so, a line each."""
    idle = {bot_id: may_hold_nothing(spec.allocation) for bot_id, spec in found.bots.items()}
    return [
        *([MAY_BE_CUT] if found.may_be_cut else []),
        *(f"bot {named(key, found.bots[key].name)}: {why}" for key, why in idle.items() if why),
    ]


def invalid_rows(found: Listing) -> list[str]:
    """The rows that are no bots, a line each."""
    return [
        *(f"bot {named(bot_id, row.name)}: {row.reason}" for bot_id, row in found.invalid.items()),
        *(f"{_without_id(row)}: {row.reason}" for row in found.nameless),
    ]


def _without_id(row: InvalidRow) -> str:
    return f"a bot without a usable id{f' ({short_name(row.name)})' if row.name else ''}"


def first(bots: Iterable[BotSpec]) -> BotSpec | None:
    """A bot whose market the adapter is asked about, one that trades live if there is any."""
    return min(bots, key=lambda spec: spec.binding.mode is not Mode.LIVE, default=None)
