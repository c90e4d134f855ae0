"""The bot of an operator's argument: an id, a name, or the beginning of an id; and its completion."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from execsvc.cli.daemon import bot_names
from execsvc.cli.options import source_of
from execsvc.errors import ConfigRefused, Unavailable
from execsvc.settings import Settings
from execsvc.store.opening import open_store
from execsvc.store.service_store import ServiceStore

COMPLETION_TIMEOUT = 0.5
"""Seconds that the daemon has to answer for the completion of an argument."""
_COMPLETABLE = re.compile(r"[\w./@+ -]+")
"""Texts that every shell splits in the same way, once their blanks are escaped for bash."""


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
