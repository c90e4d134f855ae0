"""``execsvc check``: checks whether the daemon could run with this configuration."""

from __future__ import annotations

import json

import click

from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import (
    SettingsSource,
    alert_targets,
    refuse_missing_extras,
    settings_options,
)
from execsvc.cli.output import plain_text
from execsvc.clients.bot_service import Listing
from execsvc.clients.service_http import adapter_http
from execsvc.doctor import adapter_health, services
from execsvc.errors import Unavailable
from execsvc.exit_codes import DONE, REFUSED, UNREACHABLE
from execsvc.model.bot import BotSpec, Mode
from execsvc.model.market import plain
from execsvc.settings import Settings, runtime_directory, state_directory, warnings
from execsvc.store.opening import open_store

_FINDINGS = "execsvc.cli.check.findings"


@click.command(
    epilog=exit_codes(
        (DONE, "the configuration is valid and both services answer"),
        (UNREACHABLE, "a service does not answer as it should"),
        (REFUSED, "the configuration is refused"),
    )
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all findings.")
@settings_options
def check(source: SettingsSource, as_json: bool) -> int:
    """Check that the configuration is valid and both services are reachable."""
    settings = source.load()
    refuse_missing_extras(settings)
    findings = _collect_findings(as_json)
    _check_directories(settings)
    _report(
        "configuration",
        f"valid; state in {open_store(settings).place().name}, HTTP on {settings.http_bind}",
    )
    for warning in warnings(settings):
        _report("warning", warning)
    bots, code = [], DONE
    try:
        bots = list(_check_bot_service(settings).bots.values())
    except Unavailable as error:
        _report("bot service", f"{settings.bot_service_url}: {error}")
        code = UNREACHABLE
    try:
        _check_adapter(settings, services.first(bots))
    except Unavailable as error:
        _report("adapter", f"{settings.exchange_adapter_url}: {error}")
        code = UNREACHABLE
    if not _check_alert_urls(settings):
        code = UNREACHABLE
    if as_json:
        click.echo(json.dumps({"exit_code": code, "findings": findings}, indent=2))
    return code


def _check_directories(settings: Settings) -> None:
    """Raise ConfigRefused where the daemon would; missing directories are not made."""
    for path, check_value in (
        (settings.state_dir, state_directory),
        (settings.runtime_dir, runtime_directory),
    ):
        if path.exists():
            check_value(path)


def _check_bot_service(settings: Settings) -> Listing:
    rows = services.rows(settings)
    listing = rows.listing
    _report(
        "bot service",
        f"{settings.bot_service_url}: {len(listing.bots)} bots to run ({rows.found})",
    )
    if rows.waiting is not None:
        _report("warning", rows.waiting)
    for line in services.remarks(listing):
        _report("warning", line)
    for line in services.refused_rows(listing):
        _report("refused", line)
    for line in services.invalid_rows(listing):
        _report("invalid", line)
    return listing


def _check_adapter(settings: Settings, spec: BotSpec | None) -> None:
    http = adapter_http(settings)
    health = adapter_health.read_health(http)
    if health is not None:
        text = f"{settings.exchange_adapter_url}: {health.text}"
        _report(
            "adapter" if health.is_healthy else "warning",
            text if health.is_healthy else f"adapter {text}",
        )
    if spec is None and health is None:
        status = http.get_any_status("GET /", "/").status
        _report(
            "adapter",
            f"{settings.exchange_adapter_url}: answers (HTTP {status}); no bot whose market could be read",
        )
    if spec is None:
        return
    key_id, symbol = spec.binding.key_id, spec.binding.symbol
    adapter = services.adapter(settings, http, key_id)
    found = f"{symbol} at {plain(adapter.ticker(symbol).price)}"
    if spec.binding.mode is Mode.LIVE:
        found += f", account {key_id} holds {len(adapter.balance().assets)} assets"
    _report("adapter", f"{settings.exchange_adapter_url}: {found}")


def _check_alert_urls(settings: Settings) -> bool:
    """True when apprise knows every alert URL; ``execsvc alert`` shows whether messages arrive."""
    understood = True
    for target in alert_targets(settings):
        known = "known" if target.understood else "apprise does not know such a URL"
        _report("alerts", f"URL {target.name}: {known}")
        understood = understood and target.understood
    return understood


def _report(subject: str, text: str) -> None:
    findings: list[dict[str, str]] | None = click.get_current_context().meta.get(_FINDINGS)
    if findings is None:
        click.echo(f"{subject:<13}  {plain_text(text)}")
    else:
        findings.append({"check": subject, "what": text})


def _collect_findings(as_json: bool) -> list[dict[str, str]]:
    """The list that findings go to from now on, if they are not to be printed as they come."""
    findings: list[dict[str, str]] = []
    if as_json:
        click.get_current_context().meta[_FINDINGS] = findings
    return findings
