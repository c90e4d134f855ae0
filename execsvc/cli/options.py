"""Options that several commands take, by which their settings are found, and checks of the settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import update_wrapper
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from execsvc import masking, settings
from execsvc.errors import ConfigRefused
from execsvc.settings import Settings, alert_urls, variable_of
from execsvc.settings.model import SECRET

if TYPE_CHECKING:
    from execsvc.alerts.apprise_target import Target

Command = Callable[..., Any]

_DIRECTORIES = ("state_dir", "runtime_dir")


@dataclass(frozen=True)
class SettingsSource:
    """The sources of a command's settings: its own options, the environment, a file."""

    overrides: dict[str, str] = field(default_factory=dict)
    env_file: Path | None = None

    def load(self) -> settings.Settings:
        """All settings, with their secrets masked from now on.

        Raises ConfigRefused with every fault.
        """
        return _masked(settings.load(self.overrides, self.env_file, os.environ))

    def without_services(self) -> settings.Settings:
        """Settings without the two services' URLs, for a command that calls neither."""
        return _masked(
            settings.load(self.overrides, self.env_file, os.environ, services_required=False)
        )


def _masked(loaded: settings.Settings) -> settings.Settings:
    masking.register_secrets(settings.secrets_of(loaded))
    return loaded


def source_of(ctx: click.Context) -> SettingsSource:
    """The source of a command line that is still being typed, as far as it names one."""
    given = {settings.variable_of(name): ctx.params.get(name) for name in _DIRECTORIES}
    overrides = {name: text for name, text in given.items() if text is not None}
    return SettingsSource(overrides, ctx.params.get("env_file"))


def settings_options(command: Command) -> Command:
    """Give ``command`` an option for each setting but the tokens, and a ``source`` made of them.

    A token on a command line could be read by everyone on the machine.
    """
    return _with_options(
        command, [name for name in settings.Settings.model_fields if name not in SECRET]
    )


def directory_options(command: Command) -> Command:
    """Give ``command`` the options for the two directories, and a ``source`` made of them."""
    return _with_options(command, list(_DIRECTORIES))


def adapter_options(command: Command) -> Command:
    """Give ``command`` the options for calls to the adapter, and a ``source`` made of them."""
    return _with_options(command, ["exchange_adapter_url", "request_timeout", "state_dir"])


def _with_options(command: Command, fields: list[str]) -> Command:
    def wrapped(*, env_file: Path | None, **values: Any) -> Any:
        given = {settings.variable_of(name): values.pop(name) for name in fields}
        overrides = {name: text for name, text in given.items() if text is not None}
        return command(source=SettingsSource(overrides, env_file), **values)

    taking: Command = update_wrapper(wrapped, command)
    for name in reversed(fields):
        option = "--" + name.replace("_", "-")
        taking = click.option(
            option, name, metavar="VALUE", help=f"Instead of {settings.variable_of(name)}."
        )(taking)
    return click.option(
        "--env-file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar=settings.ENV_FILE,
        help="Read settings from this file too; the environment has precedence.",
    )(taking)


def refuse_missing_extras(settings: Settings) -> None:
    """Raise ConfigRefused, naming the extra, when a setting needs a library that is not installed."""
    if settings.alert_urls is not None and find_spec("apprise") is None:
        raise ConfigRefused(
            f"{variable_of('alert_urls')}: its library is not installed: pip install 'execsvc[alerts]'"
        )


def refuse_missing_store_extra(settings: Settings) -> None:
    """Raise ConfigRefused, naming the extra, when the store needs a library that is not installed."""
    if settings.store_url is not None and find_spec("psycopg") is None:
        raise ConfigRefused(
            f"{variable_of('store_url')}: its library is not installed: pip install 'execsvc[postgresql]'"
        )


def alert_targets(settings: Settings) -> list[Target]:
    """The addresses of alerts. For short commands only: apprise is large."""
    if settings.alert_urls is None:
        return []
    from execsvc.alerts.apprise_target import Target

    urls = alert_urls(settings.alert_urls.get_secret_value())
    return [Target(number, url) for number, url in enumerate(urls, 1)]
