"""``execsvc log``: the actions of a bot, from its ledger."""

from __future__ import annotations

from contextlib import suppress
from typing import NoReturn

import click

from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, bot_argument, directory_options, resolve_bot
from execsvc.cli.output import plain_text, reader_is_gone
from execsvc.exit_codes import DONE, FAULT, REFUSED, USAGE
from execsvc.store.bot_state import LogRow
from execsvc.store.opening import open_store
from execsvc.store.service_store import ServiceStore

_POLL_MS = 500


@click.command(
    epilog=exit_codes(
        (DONE, "shown; with --follow also when it was ended by Ctrl-C"),
        (FAULT, "the ledger cannot be read"),
        (USAGE, "no such bot, or wrong usage"),
        (REFUSED, "the settings are refused"),
    )
)
@bot_argument
@click.option(
    "--lines", "-n", type=click.IntRange(0), metavar="N", help="Begin with the last N rows."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--follow", "-f", is_flag=True, help="Go on with new rows, until Ctrl-C.")
@directory_options
def log(source: SettingsSource, bot: str, as_json: bool, follow: bool, lines: int | None) -> None:
    """Show the execution log of BOT (an id, its beginning, or a name), also of a bot that ended long ago."""
    settings = source.without_services()
    bot_id = resolve_bot(bot, settings)
    store = open_store(settings)
    if not follow:
        _show(store, bot_id, 0, as_json, lines)
        return
    with suppress(KeyboardInterrupt):
        _follow(store, bot_id, as_json, lines)


def _follow(store: ServiceStore, bot_id: str, as_json: bool, lines: int | None) -> NoReturn:
    """Print new rows again and again; the ledger outlives the bot's processes.

    Raises BrokenPipeError when standard output has no reader any more, also while there are no new
    rows.
    """
    while not store.has_bot(bot_id):  # a bot that has not started yet
        _wait_for_more()
        lines = None
    shown = _show(store, bot_id, 0, as_json, lines)
    while True:
        _wait_for_more()
        shown = _show(store, bot_id, shown, as_json)


def _wait_for_more() -> None:
    """Wait until the next check for new rows.

    Raises BrokenPipeError when standard output has no reader.
    """
    if reader_is_gone(_POLL_MS):
        raise BrokenPipeError


def _show(
    store: ServiceStore, bot_id: str, after: int, as_json: bool, lines: int | None = None
) -> int:
    """Print the rows after row ``after``, at most the last ``lines``; returns the number of the
    last one.
    """
    rows = store.read_log(bot_id, after)
    for row in rows if lines is None else rows[max(len(rows) - lines, 0) :]:
        click.echo(row.model_dump_json() if as_json else _line(row))
    return rows[-1].seq if rows else after


def _line(row: LogRow) -> str:
    return f"{row.at}  {row.event:<20}  {plain_text(row.text)}"
