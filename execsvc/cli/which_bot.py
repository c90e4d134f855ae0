"""Which bot an operator means: by id, by name, or by the beginning of an id."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from execsvc.cli.daemon import bot_names
from execsvc.errors import Unavailable
from execsvc.ledger import survey
from execsvc.ledger.bot_ledger import ledger_path


def which_bot(text: str, state_dir: Path, runtime_dir: Path) -> str:
    """The id of the one bot that ``text`` means, be it long gone.

    Raises click.UsageError when there is none, or more than one.
    """
    if ledger_path(state_dir, text).exists():
        return text
    names = _known(state_dir, runtime_dir)
    if text in names:
        return text
    called = [bot_id for bot_id, name in names.items() if name == text]
    found = called or [bot_id for bot_id in names if bot_id.startswith(text)]
    if not found:
        raise click.UsageError(f"no bot {text!r} is known, neither by a ledger nor to a daemon")
    if len(found) > 1:
        raise click.UsageError(f"{text!r} may mean any of: {', '.join(sorted(found))}")
    return found[0]


def _known(state_dir: Path, runtime_dir: Path) -> dict[str, str]:
    """Names by id; a bot that only has a ledger has no name."""
    states, _ = survey.survey(state_dir)
    names = {state.bot_id: "" for state in states}
    with suppress(Unavailable):  # ledgers are all there is without a daemon
        names.update(bot_names(runtime_dir))
    return names
