"""``execsvc store``: makes and examines the PostgreSQL in which several hosts share their records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, directory_options
from execsvc.cli.output import plain_text
from execsvc.cli.store_connection import store_connections
from execsvc.exit_codes import DONE, FAULT, REFUSED, UNREACHABLE

if TYPE_CHECKING:
    from execsvc.store.replicated.import_state import ImportResult


@click.group(
    epilog=exit_codes(
        (DONE, "done; of check: hosts can share this PostgreSQL"),
        (FAULT, "the command failed"),
        (UNREACHABLE, "PostgreSQL does not answer"),
        (REFUSED, "the settings, or something in PostgreSQL, are refused"),
    )
)
def store() -> None:
    """Make and examine the PostgreSQL that several hosts share (EXECSVC_STORE_URL)."""


@store.command(
    epilog=exit_codes(
        (DONE, "hosts can share this PostgreSQL"),
        (FAULT, "the examination failed"),
        (UNREACHABLE, "PostgreSQL does not answer"),
        (REFUSED, "something is refused: its line says what to do"),
    )
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all findings.")
@directory_options
def check(source: SettingsSource, as_json: bool) -> int:
    """Check that no record can be lost in the PostgreSQL of EXECSVC_STORE_URL."""
    settings = source.without_services()
    with store_connections(settings, 2) as (one, other):
        from execsvc.store.postgresql.check import CheckLevel, examine

        results = list(examine(one, other))
    code = REFUSED if any(result.level is CheckLevel.REFUSED for result in results) else DONE
    if as_json:
        findings = [
            {"check": subject, "level": level.value, "what": text, "remedy": remedy or None}
            for level, subject, text, remedy in results
        ]
        click.echo(json.dumps({"exit_code": code, "findings": findings}, indent=2))
        return code
    for level, subject, text, remedy in results:
        click.echo(f"{level.value:<8}  {subject:<16}  {plain_text(text)}")
        if remedy:
            click.echo(f"{'':<8}  {'':<16}  to do: {plain_text(remedy)}")
    return code


@store.command(
    epilog=exit_codes(
        (DONE, "the tables are there"),
        (FAULT, "the tables cannot be made"),
        (UNREACHABLE, "PostgreSQL does not answer"),
        (REFUSED, "the tables have a version that this execsvc does not know"),
    )
)
@directory_options
def init(source: SettingsSource) -> None:
    """Make the tables in the PostgreSQL of EXECSVC_STORE_URL; may be run again."""
    settings = source.without_services()
    with store_connections(settings) as (connection,):
        from execsvc.store.postgresql import schema

        made = schema.install(connection)
    click.echo(
        "The tables are made." if made else "The tables were there; their functions are made anew."
    )


@store.command(
    "import",
    epilog=exit_codes(
        (DONE, "the records are in PostgreSQL, or were taken before"),
        (FAULT, "a record cannot be read or taken; nothing was taken"),
        (UNREACHABLE, "PostgreSQL does not answer: give the command again"),
        (
            REFUSED,
            "a service uses the records or their accounts, or PostgreSQL has other ones; nothing was taken",
        ),
    ),
)
@click.argument("directory", metavar="STATE_DIR", type=click.Path(path_type=Path, file_okay=False))
@directory_options
def import_(source: SettingsSource, directory: Path) -> None:
    """Take the records below STATE_DIR into the PostgreSQL of EXECSVC_STORE_URL.

    All or nothing. The service that wrote them has to be stopped. An order whose outcome is open is taken as
    it is, and settled by the host that has its account next. STATE_DIR stays as it is, with a mark: without
    EXECSVC_STORE_URL no service starts there any more.
    """
    settings = source.without_services()
    with store_connections(settings) as (connection,):
        from execsvc.store.replicated.import_state import import_state

        taken = import_state(connection, directory, settings.runtime_dir)
    for line in ["The records were taken before."] if taken is None else _lines(taken):
        click.echo(plain_text(line))


def _lines(taken: ImportResult) -> list[str]:
    """The result of an import, for people."""
    counts = f"{len(taken.bots)} bots, {len(taken.accounts)} accounts, {taken.orders} orders"
    lines = [
        f"Taken: {counts}, deliveries of {taken.deliveries} bots.",
        *(f"bot {bot_id}" for bot_id in taken.bots),
        *(f"account {key_id}" for key_id in taken.accounts),
        *(f"{name}: equal records were there already" for name in taken.known),
        *(
            f"account {key_id}: an order has no outcome yet; the next host of the account settles it"
            for key_id in taken.open_orders
        ),
        *(f"bot {bot_id} is held" for bot_id in taken.held),
        *(
            f"bot {bot_id}: the leave to enter again after its stop loss is not taken"
            for bot_id in taken.marks
        ),
    ]
    if taken.is_halted:
        lines.append("Trading is halted, on all hosts.")
    return lines
