"""``execsvc settle``: an operator's decision on a contested order."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import click

from execsvc.cli.daemon import say, tell
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import Source, takes_places
from execsvc.cli.which_bot import takes_bot, which_bot
from execsvc.exit_codes import DONE, FAULT, REFUSED, USAGE
from execsvc.store.opening import open_store


def _quantity(ctx: click.Context, param: click.Parameter, value: str) -> Decimal:
    """A finite number of base units, zero or more. Raises click.BadParameter."""
    try:
        quantity = Decimal(value)
    except InvalidOperation:
        quantity = Decimal("NaN")
    if not quantity.is_finite() or quantity < 0:
        raise click.BadParameter(f"{value!r} is not a number of base units, zero or more")
    return quantity


@click.command(
    epilog=exit_codes(
        (DONE, "settled"),
        (FAULT, "the ledger cannot be read or written"),
        (USAGE, "no such bot, or wrong usage"),
        (REFUSED, "nothing to settle, an impossible quantity, or the settings are refused"),
    )
)
@takes_bot
@click.option(
    "--filled",
    callback=_quantity,
    required=True,
    metavar="QTY",
    help="The filled quantity, in base units; of a buy the quantity that arrived, after fees.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@takes_places
def settle(source: Source, bot: str, filled: Decimal, as_json: bool) -> None:
    """Decide the oldest contested order of BOT by hand: check the order at the exchange first."""
    places = source.places()
    bot_id = which_bot(bot, places)
    done = open_store(places).settle(bot_id, filled)
    say(as_json, bot_id, done, tell(places, "recheck", bot_id))
