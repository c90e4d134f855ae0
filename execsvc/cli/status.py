"""``execsvc status``: the table of bots, also when the HTTP side is down."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import click

from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, directory_options
from execsvc.cli.output import plain_text, table, terminal_width
from execsvc.clients import control_socket
from execsvc.exit_codes import DONE, REFUSED, UNREACHABLE

TIMEOUT = 5.0
"""Seconds the daemon has to answer."""
_HEADER = ("BOT", "NAME", "STATE", "SYMBOL", "MODE", "TRACKED", "TICKS", "PID", "RESULT")
_WIDE = 100
"""Columns of a terminal that has room for the realised result."""


@click.command(
    epilog=exit_codes(
        (DONE, "printed"),
        (UNREACHABLE, "no daemon answers"),
        (REFUSED, "the settings are refused"),
    )
)
@click.option("--json", "as_json", is_flag=True, help="The document of GET /status.")
@click.option(
    "--diagnostics", is_flag=True, help="Also the diagnostics of each strategy's last tick."
)
@directory_options
def status(source: SettingsSource, as_json: bool, diagnostics: bool) -> None:
    """Show every bot of the running daemon."""
    settings = source.without_services()
    asked: dict[str, Any] = {"call": "status"}
    if diagnostics:
        asked["diagnostics"] = True
    document = control_socket.ask(settings.runtime_dir, asked, TIMEOUT)
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    click.echo(_headline(document))
    if document["bots"]:
        width = terminal_width()
        # On a narrow terminal the names have precedence over the results.
        columns = len(_HEADER) if width >= _WIDE else len(_HEADER) - 1
        rows = [_row(bot)[:columns] for bot in document["bots"]]
        click.echo(table(_HEADER[:columns], rows, width))
    for line in [*_diagnostics(document), *_faults(document)]:
        click.echo(plain_text(line))


def _headline(document: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in document["counts"].items())
    return (
        f"{document['state']}, pid {document['pid']}, up {document['uptime_sec']:.0f} s: "
        f"{counts or 'no bots'}"
    )


def _row(bot: dict[str, Any]) -> list[str]:
    shown = (
        bot["bot_id"],
        bot["name"],
        bot["state"],
        bot["symbol"],
        bot["mode"],
        bot["position"]["tracked"],
        bot["ticks"],
        bot["pid"],
        _result(bot["result"]),
    )
    return ["-" if cell in (None, "") else str(cell) for cell in shown]


def _result(result: dict[str, Any]) -> str | None:
    """The realised result to the second decimal, with its currency."""
    if result["realised"] is None:
        return None
    return f"{Decimal(result['realised']):.2f} {result['currency'] or ''}".rstrip()


def _diagnostics(document: dict[str, Any]) -> list[str]:
    """A line for each bot whose strategy reported on its last tick."""
    return [
        f"{bot['bot_id']}: "
        + ", ".join(
            name if value is True else f"{name} {value}"
            for name, value in bot["diagnostics"].items()
        )
        for bot in document["bots"]
        if bot.get("diagnostics")
    ]


def _faults(document: dict[str, Any]) -> list[str]:
    poll, halted = document["poll"], document.get("halted")
    lines = []
    known = None
    if halted:
        known = f"trading is halted: {halted['reason']}"
        lines.append(f"{known} (since {halted['since']})")
    if poll["last_error"]:
        lines.append(f"listing failed {poll['consecutive_failures']} times: {poll['last_error']}")
    pending = poll["pending_mass_stop"]
    if pending:
        lines.append(
            f"{pending['bots']} of {pending['of']} bots are missing from the listing; no bot is "
            f"stopped yet, poll {pending['polls']} of {pending['needed']}"
        )
    errors = [(bot["bot_id"] or bot["name"] or "-", bot["last_error"]) for bot in document["bots"]]
    return lines + [f"{bot}: {error}" for bot, error in errors if error and error != known]
