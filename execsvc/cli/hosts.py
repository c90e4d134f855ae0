"""``execsvc hosts``: the hosts that share a PostgreSQL, and the accounts of each."""

from __future__ import annotations

import json

import click

from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, directory_options
from execsvc.cli.output import plain_text, table, terminal_width
from execsvc.cli.store_connection import store_connections
from execsvc.errors import ConfigRefused
from execsvc.exit_codes import DONE, FAULT, REFUSED, UNREACHABLE

_HEADER = ("HOST", "STATE", "BEAT", "BOTS", "OPEN", "ACCOUNTS")


@click.command(
    epilog=exit_codes(
        (DONE, "shown"),
        (FAULT, "the tables cannot be read"),
        (UNREACHABLE, "PostgreSQL does not answer"),
        (REFUSED, "the settings are refused, or there are no tables"),
    )
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the table.")
@directory_options
def hosts(source: SettingsSource, as_json: bool) -> None:
    """Show the hosts that share EXECSVC_STORE_URL.

    Of each its state (LIVE, DRAINING, SILENT, CLOSING, LEFT), the seconds since its last beat, its bots, open
    orders and accounts.
    """
    settings = source.without_services()
    with store_connections(settings) as (connection,):
        from execsvc.store.postgresql import overview, schema

        if schema.version(connection) is None:
            raise ConfigRefused("the store has no tables: execsvc store init")
        found = overview.hosts(connection)
        unowned = overview.unowned(connection)
    if as_json:
        document = {"hosts": [host._asdict() for host in found], "unowned_accounts": unowned}
        click.echo(json.dumps(document, indent=2))
        return
    rows = [
        (
            *(
                host.host_id,
                host.state,
                f"{host.beat_age:.1f} s",
                str(host.bots),
                str(host.open_orders),
            ),
            ", ".join(host.accounts),
        )
        for host in found
    ]
    click.echo(table(_HEADER, rows, terminal_width()))
    if unowned:
        click.echo(f"Accounts without a host: {plain_text(', '.join(unowned))}")
