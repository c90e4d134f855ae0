"""``execsvc log``: what a bot did, from its ledger."""

from __future__ import annotations

import select
import sys
from pathlib import Path

import click

from execsvc.cli.exit_codes import DONE, FAULT, USAGE, exit_codes
from execsvc.cli.options import Source, takes_places
from execsvc.cli.table import plain_text
from execsvc.cli.which_bot import which_bot
from execsvc.ledger.survey import LogRow, read_log

_LOOK_EVERY_MS = 500


@click.command(
    epilog=exit_codes((DONE, "shown"), (FAULT, "the ledger cannot be read"), (USAGE, "no such bot"))
)
@click.argument("bot")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@takes_places
def log(source: Source, bot: str, as_json: bool, follow: bool) -> None:
    """Show the execution log of BOT (an id, its beginning, or a name), also of one long gone."""
    places = source.places()
    bot_id = which_bot(bot, places.state_dir, places.runtime_dir)
    shown = _show(places.state_dir, bot_id, 0, as_json)
    if not follow:
        return
    reader_left = select.poll()
    reader_left.register(sys.stdout.fileno(), 0)
    try:
        while not reader_left.poll(_LOOK_EVERY_MS):
            shown = _show(places.state_dir, bot_id, shown, as_json)
    except KeyboardInterrupt:
        return


def _show(state_dir: Path, bot_id: str, after: int, as_json: bool) -> int:
    """Print the rows behind row ``after``; the number of the last one."""
    for row in read_log(state_dir, bot_id, after):
        click.echo(row.model_dump_json() if as_json else _line(row))
        after = row.seq
    return after


def _line(row: LogRow) -> str:
    return f"{row.at}  {row.event:<20}  {plain_text(row.text)}"
