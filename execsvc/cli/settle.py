"""``execsvc settle``: an operator's decision on a contested order."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import click

from execsvc.cli.daemon import notify_daemon, print_decision
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, bot_argument, directory_options, resolve_bot
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
@bot_argument
@click.option(
    "--filled",
    callback=_quantity,
    required=True,
    metavar="QTY",
    help="The filled quantity, in base units; of a buy the quantity that arrived, after fees.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@directory_options
def settle(source: SettingsSource, bot: str, filled: Decimal, as_json: bool) -> None:
    """Decide the oldest contested order of BOT by hand: check the order at the exchange first."""
    settings = source.without_services()
    bot_id = resolve_bot(bot, settings)
    done = open_store(settings).settle(bot_id, filled)
    print_decision(as_json, bot_id, done, notify_daemon(settings, "recheck", bot_id))
