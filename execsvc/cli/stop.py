"""``execsvc stop``: end one bot, flat, and keep it from being started again."""

from __future__ import annotations

import json
from typing import Any

import click

from execsvc.cli.daemon import call_daemon, describe_open, wait_until_flat, waiting_options
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, bot_argument, directory_options, resolve_bot
from execsvc.exit_codes import DONE, FAULT, REFUSED, RESIDUE, UNREACHABLE, USAGE
from execsvc.store.opening import open_store


@click.command(
    epilog=exit_codes(
        (DONE, "the bot has ended flat (with --no-wait: it was told to stop)"),
        (FAULT, "the stop could not be recorded, see stderr"),
        (USAGE, "no such bot, or wrong usage"),
        (UNREACHABLE, "no daemon answers"),
        (RESIDUE, "a position is left open, or the bot has not ended in time"),
        (REFUSED, "the settings are refused"),
    )
)
@bot_argument
@waiting_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@directory_options
def stop(source: SettingsSource, bot: str, timeout: float, no_wait: bool, as_json: bool) -> int:
    """Stop BOT (an id, its beginning, or a name): on_stop, liquidation, then HELD.

    The bot stays HELD, also over restarts of the service, until it leaves the listing and comes
    back, or until `execsvc release`.
    """
    settings = source.without_services()
    call_daemon(settings, {"call": "status"})  # without a daemon there is no process to stop
    bot_id = resolve_bot(bot, settings)
    told = call_daemon(settings, {"call": "stop", "bot_id": bot_id})
    if no_wait:
        _print_outcome(
            as_json, {"bot_id": bot_id, "state": told["state"], "flat": None, "left": None}
        )
    else:
        answer = wait_until_flat(settings.runtime_dir, "stopping", timeout, bot_id)
        left = answer["bots"][0] if answer["bots"] else None
        _print_outcome(
            as_json,
            {"bot_id": bot_id, "state": answer["state"], "flat": left is None, "left": left},
        )
        if left is not None:
            return RESIDUE
    if not told["written"]:
        record = open_store(settings).held().name
        click.echo(
            f"execsvc: {record} cannot be written: a restart may start the bot again", err=True
        )
        return FAULT
    return DONE


def _print_outcome(as_json: bool, outcome: dict[str, Any]) -> None:
    bot_id, state = outcome["bot_id"], outcome["state"]
    if as_json:
        text = json.dumps(outcome)
    elif outcome["left"] is not None:
        text = describe_open(outcome["left"])
    elif state is None:
        text = f"bot {bot_id} is not listed and holds nothing"
    elif outcome["flat"] is None:
        text = f"bot {bot_id} was told to stop, it is {state}"
    else:
        text = f"bot {bot_id} is {state} and flat"
    click.echo(text)
