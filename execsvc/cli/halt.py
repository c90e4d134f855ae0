"""``execsvc halt``: the kill switch."""

from __future__ import annotations

import json
from typing import Any

import click

from execsvc.cli.daemon import PATIENCE, ask
from execsvc.cli.exit_codes import DONE, FAULT, REFUSED, RESIDUE, UNREACHABLE, exit_codes
from execsvc.cli.options import Source, takes_places
from execsvc.cli.table import plain_text
from execsvc.cli.waiting import described, takes_waiting, wait_until_flat
from execsvc.errors import Unavailable
from execsvc.ledger.halt import Halt
from execsvc.settings import Settings


@click.command(
    epilog=exit_codes(
        (DONE, "every bot has ended flat (with --no-wait: they were told)"),
        (FAULT, "it could not be written down, see stderr"),
        (UNREACHABLE, "no daemon answers: it holds from the next start on"),
        (RESIDUE, "positions are left open, or bots have not ended in time"),
        (REFUSED, "the settings are refused"),
    )
)
@click.option("--reason", metavar="TEXT", help="Why: shown by status, /health and the log.")
@takes_waiting
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@takes_places
def halt(source: Source, reason: str | None, timeout: float, no_wait: bool, as_json: bool) -> int:
    """Stop and liquidate every bot, and start none until `execsvc resume`.

    It holds over restarts of the service. Bots that keep a position while they are HELD are
    liquidated as well.
    """
    places = source.places()
    reason = (reason or "").strip() or None
    try:
        told = _told(places, reason)
    except Unavailable as error:
        return _without_daemon(places, reason, as_json, error)
    outcome = {**told, "flat": None, "left": []}
    if not no_wait:
        answer = wait_until_flat(places.runtime_dir, "halting", timeout)
        outcome |= {"flat": not answer["bots"], "left": answer["bots"]}
    _say(as_json, outcome)
    if outcome["not_written"]:
        click.echo(f"execsvc: a restart will trade again: {outcome['not_written']}", err=True)
    if outcome["left"]:
        return RESIDUE
    return FAULT if outcome["not_written"] else DONE


def _told(places: Settings, reason: str | None) -> dict[str, Any]:
    request = {"call": "halt", "reason": reason}
    answer = ask(places.runtime_dir, request, timeout=PATIENCE)
    return {"halted": answer["halted"], "not_written": answer["not_written"]}


def _without_daemon(places: Settings, reason: str | None, as_json: bool, error: Unavailable) -> int:
    """Write it down for the next start, and knock again: a daemon may have looked just before."""
    file = Halt(places.state_dir)
    file.begin(reason)
    assert file.current is not None
    try:
        _told(places, reason)
        heard = "a daemon that has just started was told"
    except Unavailable:
        heard = "it holds from the next start on"
    if as_json:
        halted = file.current.model_dump()
        click.echo(json.dumps({"halted": halted, "not_written": None, "flat": None, "left": []}))
    click.echo(f"execsvc: {error}; {heard}", err=True)
    return UNREACHABLE


def _say(as_json: bool, outcome: dict[str, Any]) -> None:
    if as_json:
        click.echo(json.dumps(outcome))
        return
    halted = outcome["halted"]
    click.echo(plain_text(f"trading is halted since {halted['since']}: {halted['reason']}"))
    if outcome["flat"] is None:
        click.echo("every bot was told to stop")
    elif outcome["flat"]:
        click.echo("every bot has ended flat")
    for bot in outcome["left"]:
        click.echo(described(bot))
