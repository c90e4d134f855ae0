"""``execsvc release``: an operator lets go of coins that are gone, or of a bot that was given up."""

from __future__ import annotations

import click

from execsvc.cli.daemon import tell
from execsvc.cli.exit_codes import DONE, FAULT, USAGE, exit_codes
from execsvc.cli.options import Source, takes_places
from execsvc.cli.which_bot import which_bot
from execsvc.ledger import operator, survey
from execsvc.ledger.held import HeldBots


@click.command(
    epilog=exit_codes(
        (DONE, "released"),
        (FAULT, "the ledger cannot be read or written"),
        (USAGE, "no such bot"),
    )
)
@click.argument("bot")
@takes_places
def release(source: Source, bot: str) -> None:
    """Book the coins of BOT that are missing from its account as gone; end HELD and FAILED."""
    places = source.places()
    bot_id = which_bot(bot, places.state_dir, places.runtime_dir)
    if survey.read(places.state_dir, bot_id) is None:
        click.echo(f"bot {bot_id} has no ledger, so nothing to book")
    else:
        click.echo(operator.release(places.state_dir, bot_id))
    if not tell(places.runtime_dir, "release", bot_id):
        HeldBots(places.state_dir).discard(bot_id)
