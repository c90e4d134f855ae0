"""``execsvc alert``: a message to the alert URLs, as a test or from a script."""

from __future__ import annotations

import click

from execsvc.alerts.messages import sender
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import (
    SettingsSource,
    alert_targets,
    directory_options,
    refuse_missing_extras,
)
from execsvc.errors import ConfigRefused
from execsvc.exit_codes import DONE, REFUSED, UNREACHABLE
from execsvc.settings import variable_of

_TEST_TEXT = "A test: alerts about the bots arrive at this address."


@click.command(
    epilog=exit_codes(
        (DONE, "every alert URL took the message"),
        (UNREACHABLE, "an alert URL did not take the message"),
        (REFUSED, "the configuration is refused, or names no alert URL"),
    )
)
@click.argument("text", default=_TEST_TEXT)
@directory_options
def alert(source: SettingsSource, text: str) -> int:
    """Send TEXT to each of EXECSVC_ALERT_URLS, once; without TEXT a test."""
    settings = source.without_services()
    if settings.alert_urls is None:
        raise ConfigRefused(f"{variable_of('alert_urls')}: is not set")
    refuse_missing_extras(settings)
    title = f"{sender(settings.state_dir)}: {'a test' if text == _TEST_TEXT else 'a message'}"
    # All messages are sent before the first line, which may be the last one that can be written.
    faults = [(each.name, each.send(title, text, "info")) for each in alert_targets(settings)]
    for name, fault in faults:
        click.echo(f"alert URL {name}: {fault or 'taken'}")
    return UNREACHABLE if any(fault for _, fault in faults) else DONE
