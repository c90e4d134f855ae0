"""``execsvc halt``: the kill switch."""

from __future__ import annotations

import json
from typing import Any

import click

from execsvc.cli.daemon import PATIENCE, TIMEOUT, ask, running
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import Source, takes_places
from execsvc.cli.table import plain_text
from execsvc.cli.waiting import described, takes_waiting, wait_until_flat
from execsvc.errors import Unavailable
from execsvc.exit_codes import DONE, FAULT, REFUSED, RESIDUE, UNREACHABLE
from execsvc.settings import Settings
from execsvc.store.opening import open_store
from execsvc.store.service_store import Halt


@click.command(
    epilog=exit_codes(
        (DONE, "every bot has ended flat (with --no-wait: every bot was told to stop)"),
        (FAULT, "the halt could not be recorded, see stderr"),
        (UNREACHABLE, "no daemon answers: the halt holds from the next start on"),
        (RESIDUE, "positions are left open, or bots have not ended in time"),
        (REFUSED, "the settings are refused"),
    )
)
@click.option("--reason", metavar="TEXT", help="The reason, shown by status, /health and the log.")
@takes_waiting
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@takes_places
def halt(source: Source, reason: str | None, timeout: float, no_wait: bool, as_json: bool) -> int:
    """Stop and liquidate every bot, and start none until `execsvc resume`.

    The halt outlasts restarts of the service. Bots that keep a position while they are HELD are
    liquidated as well.
    """
    places = source.places()
    reason = (reason or "").strip() or None
    try:
        ask(places, {"call": "health"}, notice=0.0)  # a daemon that hangs is not waited for long
        told = _daemon_answer(places, reason, PATIENCE, notice=0.0)
    except Unavailable as error:
        kept = open_store(places).halt()
        kept.begin(reason)
        try:
            # A daemon may have started just before; one that runs reads the file at its next poll.
            notice = 0.0 if no_wait else timeout
            told = _daemon_answer(places, reason, min(PATIENCE, max(notice, TIMEOUT)), notice)
        except Unavailable:
            return _print_unreached(places, kept, as_json, error)
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


def _daemon_answer(
    places: Settings, reason: str | None, timeout: float, notice: float
) -> dict[str, Any]:
    request = {"call": "halt", "reason": reason}
    answer = ask(places, request, timeout, notice)
    return {"halted": answer["halted"], "not_written": answer["not_written"]}


def _print_unreached(places: Settings, kept: Halt, as_json: bool, error: Unavailable) -> int:
    """Print when a recorded halt takes effect, after the daemon could not be reached."""
    halted = kept.current
    assert halted is not None
    found = running(places)
    if found is None:
        then = "the halt holds from the next start on"
    else:
        then = f"{found}: the service reads {kept.name} at its next poll, its log has the progress"
    if as_json:
        outcome: dict[str, Any] = {"halted": halted.model_dump()}
        outcome |= {"not_written": None, "flat": None, "left": []}
        click.echo(json.dumps(outcome))
    click.echo(plain_text(f"execsvc: {error}; {then}"), err=True)
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
