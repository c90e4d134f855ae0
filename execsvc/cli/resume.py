"""``execsvc resume``: the end of a halt."""

from __future__ import annotations

import json

import click

from execsvc.cli.daemon import SLOW_CALL_TIMEOUT, call_daemon
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, directory_options
from execsvc.cli.output import plain_text
from execsvc.exit_codes import DONE, FAULT, REFUSED, UNREACHABLE


@click.command(
    epilog=exit_codes(
        (DONE, "bots run again, or trading was not halted"),
        (FAULT, "trading stays halted, see stderr"),
        (UNREACHABLE, "no daemon answers: trading stays halted"),
        (REFUSED, "the settings are refused"),
    )
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@directory_options
def resume(source: SettingsSource, as_json: bool) -> None:
    """End a halt: the listed bots start again, but for those that are HELD or FAILED."""
    answer = call_daemon(source.without_services(), {"call": "resume"}, timeout=SLOW_CALL_TIMEOUT)
    if as_json:
        click.echo(json.dumps({"was": answer["was"], "held": answer["held"]}))
        return
    was = answer["was"]
    if was is None:
        click.echo("trading was not halted")
    else:
        click.echo(
            plain_text(f"trading goes on; it was halted since {was['since']}: {was['reason']}")
        )
    for bot_id in answer["held"]:
        click.echo(plain_text(f"bot {bot_id} stays HELD, see execsvc release"))
