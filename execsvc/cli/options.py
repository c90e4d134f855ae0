"""Options and the argument BOT that several commands take, and the settings that are found by them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import update_wrapper
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from execsvc import masking, settings
from execsvc.cli.daemon import bot_names
from execsvc.errors import ConfigRefused, Unavailable
from execsvc.settings import Settings, alert_urls, variable_of
from execsvc.settings.model import SECRET
from execsvc.store.opening import open_store
from execsvc.store.service_store import ServiceStore

if TYPE_CHECKING:
    from execsvc.alerts.apprise_target import Target

Command = Callable[..., Any]

_DIRECTORIES = ("state_dir", "runtime_dir")
COMPLETION_TIMEOUT = 0.5
"""Seconds that the daemon has to answer for the completion of an argument."""
_COMPLETABLE = re.compile(r"[\w./@+ -]+")
"""Texts that every shell splits in the same way, once their blanks are escaped for bash."""


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
    refuse_missing_store_extra(settings)


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


def bot_argument(command: Any) -> Any:
    """Give ``command`` the argument BOT, which the shell can complete."""
    return click.argument("bot", shell_complete=_complete)(command)


def resolve_bot(text: str, settings: Settings) -> str:
    """The id of the one bot that ``text`` names, even if it ended long ago.

    Raises click.UsageError when there is none, or more than one.
    """
    if not text or not text.isprintable():  # the beginning of every id, or of none
        raise click.UsageError(f"{text!r} is neither an id nor a name")
    store = open_store(settings)
    if store.has_bot(text):
        return text
    names = _names_by_id(store, settings.runtime_dir)
    if text in names:
        return text
    named = [bot_id for bot_id, name in names.items() if name == text]
    found = named or [bot_id for bot_id in names if bot_id.startswith(text)]
    if not found:
        raise click.UsageError(f"no bot {text!r} is known, neither by a ledger nor to a daemon")
    if len(found) > 1:
        raise click.UsageError(f"{text!r} may mean any of: {', '.join(sorted(found))}")
    return found[0]


def _names_by_id(store: ServiceStore, runtime_dir: Path) -> dict[str, str]:
    """Names by id; a bot that only has a ledger has no name."""
    states, _ = store.survey()
    names = {state.bot_id: "" for state in states}
    with suppress(Unavailable):  # without a daemon only ledgers are known
        names.update(bot_names(runtime_dir))
    return names


def _complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids and names that begin with ``incomplete``; those of ledgers only where no daemon answers."""
    try:
        names = bot_names(source_of(ctx).without_services().runtime_dir, COMPLETION_TIMEOUT)
    except (ConfigRefused, Unavailable):
        return []
    in_bash = os.environ.get("_EXECSVC_COMPLETE", "").startswith("bash")
    return [
        # Bash reads the word once more, which removes one of the backslashes.
        CompletionItem(word.replace(" ", "\\\\ ") if in_bash else word, help=meaning)
        for word, meaning in _candidates(names)
        if word.startswith(incomplete) and _COMPLETABLE.fullmatch(word)
    ]


def _candidates(names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each id with its name, and each name that only one bot has with its id."""
    yield from names.items()
    count = Counter(names.values())
    yield from ((name, bot_id) for bot_id, name in names.items() if name and count[name] == 1)
