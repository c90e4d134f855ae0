"""Checks, before anything starts, that the optional libraries of the settings are installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from execsvc.errors import ConfigRefused
from execsvc.settings import Settings, alert_urls, variable_of

if TYPE_CHECKING:
    from execsvc.alerts.carrier import Target


def refuse_missing_extras(settings: Settings) -> None:
    """Raise ConfigRefused, naming the extra, when a setting needs a library that is not installed."""
    if settings.alert_urls is not None and find_spec("apprise") is None:
        raise ConfigRefused(
            f"{variable_of('alert_urls')}: its library is not installed: pip install 'execsvc[alerts]'"
        )


def alert_targets(settings: Settings) -> list[Target]:
    """The addresses of alerts. For short commands only: apprise is large."""
    if settings.alert_urls is None:
        return []
    from execsvc.alerts.carrier import Target

    urls = alert_urls(settings.alert_urls.get_secret_value())
    return [Target(number, url) for number, url in enumerate(urls, 1)]
