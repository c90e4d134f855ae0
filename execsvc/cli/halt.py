"""``execsvc halt``: the kill switch."""

from __future__ import annotations

import json
from typing import Any

import click

from execsvc.cli.daemon import (
    SLOW_CALL_TIMEOUT,
    TIMEOUT,
    call_daemon,
    describe_open,
    running_service,
    wait_until_flat,
    waiting_options,
)
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, directory_options
from execsvc.cli.output import plain_text
from execsvc.errors import Unavailable
from execsvc.exit_codes import DONE, FAULT, REFUSED, RESIDUE, UNREACHABLE
from execsvc.settings import Settings, state_directory
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
@waiting_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@directory_options
def halt(
    source: SettingsSource, reason: str | None, timeout: float, no_wait: bool, as_json: bool
) -> int:
    """Stop and liquidate every bot, and start none until `execsvc resume`.

    The halt outlasts restarts of the service. Bots that keep a position while they are HELD are
    liquidated as well.
    """
    settings = source.without_services()
    reason = (reason or "").strip() or None
    try:
        call_daemon(
            settings, {"call": "health"}, socket_wait=0.0
        )  # a daemon that hangs is not waited for long
        told = _daemon_answer(settings, reason, SLOW_CALL_TIMEOUT, socket_wait=0.0)
    except Unavailable as error:
        store = open_store(settings)
        if not store.place().exists():
            state_directory(settings.state_dir)  # no service was started yet
        kept = store.halt()
        kept.begin(reason)
        try:
            # A daemon may have started just before; one that runs reads the file at its next poll.
            socket_wait = 0.0 if no_wait else timeout
            told = _daemon_answer(
                settings, reason, min(SLOW_CALL_TIMEOUT, max(socket_wait, TIMEOUT)), socket_wait
            )
        except Unavailable:
            return _print_unreached(settings, kept, as_json, error)
    outcome = {**told, "flat": None, "left": []}
    if not no_wait:
        answer = wait_until_flat(settings.runtime_dir, "halting", timeout)
        outcome |= {"flat": not answer["bots"], "left": answer["bots"]}
    _print_outcome(as_json, outcome)
    if outcome["not_written"]:
        click.echo(f"execsvc: a restart will trade again: {outcome['not_written']}", err=True)
    if outcome["left"]:
        return RESIDUE
    return FAULT if outcome["not_written"] else DONE


def _daemon_answer(
    settings: Settings, reason: str | None, timeout: float, socket_wait: float
) -> dict[str, Any]:
    request = {"call": "halt", "reason": reason}
    answer = call_daemon(settings, request, timeout, socket_wait)
    return {"halted": answer["halted"], "not_written": answer["not_written"]}


def _print_unreached(settings: Settings, kept: Halt, as_json: bool, error: Unavailable) -> int:
    """Print when a recorded halt takes effect, after the daemon could not be reached."""
    halted = kept.current
    assert halted is not None
    found = running_service(settings)
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


def _print_outcome(as_json: bool, outcome: dict[str, Any]) -> None:
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
        click.echo(describe_open(bot))
