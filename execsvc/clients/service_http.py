"""The HTTP clients of the two services, with the URLs, tokens and time-out of the settings."""

from __future__ import annotations

from pydantic import SecretStr

from execsvc.clients.call_timer import Heartbeat, no_heartbeat
from execsvc.clients.http import HttpClient
from execsvc.settings import Settings


def bot_service_http(settings: Settings, heartbeat: Heartbeat = no_heartbeat) -> HttpClient:
    """A client of BotService; ``heartbeat`` is called again and again while it waits."""
    return _http(settings.bot_service_url, settings.bot_service_token, settings, heartbeat)


def adapter_http(settings: Settings, heartbeat: Heartbeat = no_heartbeat) -> HttpClient:
    """A client of the exchange adapter; ``heartbeat`` is called again and again while it waits."""
    return _http(
        settings.exchange_adapter_url, settings.exchange_adapter_token, settings, heartbeat
    )


def _http(
    url: str, token: SecretStr | None, settings: Settings, heartbeat: Heartbeat
) -> HttpClient:
    secret = None if token is None else token.get_secret_value()
    return HttpClient(url, secret, settings.request_timeout, heartbeat)
