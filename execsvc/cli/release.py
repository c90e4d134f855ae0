"""``execsvc release``: an operator lets go of coins that are gone, or of a bot that was given up."""

from __future__ import annotations

import click

from execsvc.cli.daemon import say, tell
from execsvc.cli.exit_codes import DONE, FAULT, REFUSED, USAGE, exit_codes
from execsvc.cli.options import Source, takes_places
from execsvc.cli.which_bot import takes_bot, which_bot
from execsvc.ledger import operator, survey
from execsvc.ledger.held import HeldBots


@click.command(
    epilog=exit_codes(
        (DONE, "released"),
        (FAULT, "the ledger cannot be read or written"),
        (USAGE, "no such bot, or wrong usage"),
        (REFUSED, "the settings are refused"),
    )
)
@takes_bot
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@takes_places
def release(source: Source, bot: str, as_json: bool) -> None:
    """Book the coins of BOT that are missing from its account as gone; end HELD and FAILED."""
    places = source.places()
    bot_id = which_bot(bot, places.state_dir, places.runtime_dir)
    if survey.read(places.state_dir, bot_id) is None:
        done = f"bot {bot_id} has no ledger, so nothing to book"
    else:
        done = operator.release(places.state_dir, bot_id)
    told = tell(places, "release", bot_id)
    if not told:
        HeldBots(places.state_dir).discard(bot_id)
    say(as_json, bot_id, done, told)
