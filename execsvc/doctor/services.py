"""The two services, asked as the daemon asks them; no order is placed."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import SecretStr

from execsvc.clients.bot_service import BotService, Listing
from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient
from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.ledger.account_pause import NEVER_PAUSED, AccountPause
from execsvc.model.bot import BotSpec, InvalidRow, Mode, named, short_name
from execsvc.settings import Settings
from execsvc.strategies import registry


class Looking:
    """The pause of an account, respected and never prolonged: whoever looks writes nothing."""

    def __init__(self, settings: Settings, key_id: str) -> None:
        self._pause = AccountPause(settings.state_dir, key_id)

    def remaining(self) -> float:
        """Seconds left of it; none where the state directory is not ours to read."""
        try:
            return self._pause.remaining()
        except LedgerFailed:
            return NEVER_PAUSED

    def pause(self, seconds: float) -> None:
        """The bots find out by themselves."""

    def banned(self) -> float:
        """Seconds left of a ban; none where the state directory is not ours to read."""
        try:
            return self._pause.banned()
        except LedgerFailed:
            return NEVER_PAUSED

    def ban(self, seconds: float, why: str) -> None:
        """The bots find out by themselves."""


def bot_service_http(settings: Settings) -> HttpClient:
    """BotService, as it is to be called."""
    return _http(settings.bot_service_url, settings.bot_service_token, settings)


def adapter_http(settings: Settings) -> HttpClient:
    """ExchangeAdapterService, as it is to be called."""
    return _http(settings.exchange_adapter_url, settings.exchange_adapter_token, settings)


def adapter(settings: Settings, http: HttpClient, key_id: str) -> ExchangeAdapter:
    """The adapter as one account sees it."""
    return ExchangeAdapter(http, key_id, Looking(settings, key_id))


def listing(settings: Settings) -> Listing:
    """What BotService wants to run. Raises Unavailable."""
    http = bot_service_http(settings)
    return BotService(http, settings.page_size, settings.bot_lifecycle).listing()


def refused_rows(found: Listing) -> list[str]:
    """The bots whose strategy or parameters no runner would take, a line each."""
    lines = []
    for bot_id, spec in found.bots.items():
        try:
            registry.check(spec.binding.strategy, spec.params)
        except ConfigRefused as refused:
            lines.append(f"bot {named(bot_id, spec.name)}: {refused}")
    return lines


def invalid_rows(found: Listing) -> list[str]:
    """The rows that are no bots, a line each."""
    return [
        *(f"bot {named(bot_id, row.name)}: {row.reason}" for bot_id, row in found.invalid.items()),
        *(f"{_without_id(row)}: {row.reason}" for row in found.nameless),
    ]


def _without_id(row: InvalidRow) -> str:
    return f"a bot without a usable id{f' ({short_name(row.name)})' if row.name else ''}"


def first(bots: Iterable[BotSpec]) -> BotSpec | None:
    """A bot to ask the adapter for, one that trades live if there is any."""
    return min(bots, key=lambda spec: spec.binding.mode is not Mode.LIVE, default=None)


def _http(url: str, token: SecretStr | None, settings: Settings) -> HttpClient:
    return HttpClient(
        url, None if token is None else token.get_secret_value(), settings.request_timeout
    )
