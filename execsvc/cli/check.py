"""``execsvc check``: whether the daemon could run like this."""

from __future__ import annotations

import json

import click

from execsvc.cli.exit_codes import DONE, REFUSED, UNREACHABLE, exit_codes
from execsvc.cli.extras import alert_targets, refuse_missing_extras
from execsvc.cli.options import Source, takes_settings
from execsvc.cli.table import plain_text
from execsvc.clients.bot_service import BotService, Listing
from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient
from execsvc.errors import ConfigRefused, Unavailable
from execsvc.ledger.account_pause import AccountPause
from execsvc.model.bot import BotSpec, Mode
from execsvc.model.market import plain
from execsvc.settings import Settings, runtime_directory, state_directory, warnings
from execsvc.strategies import registry

_FINDINGS = "execsvc.cli.check.findings"


@click.command(
    epilog=exit_codes(
        (DONE, "the configuration is valid and both services answer"),
        (UNREACHABLE, "a service does not answer as it should"),
        (REFUSED, "the configuration is refused"),
    )
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all findings.")
@takes_settings
def check(source: Source, as_json: bool) -> int:
    """Look whether the configuration is valid and both services are reachable, then leave."""
    settings = source.load()
    refuse_missing_extras(settings)
    findings = _collected(as_json)
    _check_directories(settings)
    _say("configuration", f"valid; state in {settings.state_dir}, HTTP on {settings.http_bind}")
    for warning in warnings(settings):
        _say("warning", warning)
    listing, code = None, DONE
    try:
        listing = _bots(settings)
    except Unavailable as error:
        _say("bot service", f"{settings.bot_service_url}: {error}")
        code = UNREACHABLE
    try:
        _ask_adapter(settings, _first(listing))
    except Unavailable as error:
        _say("adapter", f"{settings.exchange_adapter_url}: {error}")
        code = UNREACHABLE
    if not _alerts_are_understood(settings):
        code = UNREACHABLE
    if as_json:
        click.echo(json.dumps({"exit_code": code, "findings": findings}, indent=2))
    return code


def _check_directories(settings: Settings) -> None:
    """Raise ConfigRefused where the daemon would; what is not there yet is not made."""
    for path, judge in (
        (settings.state_dir, state_directory),
        (settings.runtime_dir, runtime_directory),
    ):
        if path.exists():
            judge(path)


def _bots(settings: Settings) -> Listing:
    token = settings.bot_service_token
    http = HttpClient(
        settings.bot_service_url,
        None if token is None else token.get_secret_value(),
        settings.request_timeout,
    )
    listing = BotService(http, settings.page_size, settings.bot_lifecycle).listing()
    _say("bot service", f"{settings.bot_service_url}: {len(listing.bots)} bots to run")
    for bot_id, spec in listing.bots.items():
        try:
            registry.check(spec.binding.strategy, spec.params)
        except ConfigRefused as refused:
            _say("refused", f"bot {bot_id}: {refused}")
    for bot_id, reason in listing.invalid.items():
        _say("invalid", f"bot {bot_id}: {reason}")
    for reason in listing.nameless:
        _say("invalid", f"a bot without an id: {reason}")
    return listing


def _first(listing: Listing | None) -> BotSpec | None:
    """A bot to ask the adapter for, one that trades live if there is any."""
    bots = [] if listing is None else list(listing.bots.values())
    return min(bots, key=lambda spec: spec.binding.mode is not Mode.LIVE, default=None)


def _ask_adapter(settings: Settings, spec: BotSpec | None) -> None:
    token = settings.exchange_adapter_token
    http = HttpClient(
        settings.exchange_adapter_url,
        None if token is None else token.get_secret_value(),
        settings.request_timeout,
    )
    if spec is None:
        status = http.status("GET /", "/")
        _say(
            "adapter",
            f"{settings.exchange_adapter_url}: answers (HTTP {status}); no bot to ask for",
        )
        return
    key_id, symbol = spec.binding.key_id, spec.binding.symbol
    adapter = ExchangeAdapter(http, key_id, AccountPause(settings.state_dir, key_id))
    found = f"{symbol} at {plain(adapter.ticker(symbol).price)}"
    if spec.binding.mode is Mode.LIVE:
        found += f", account {key_id} holds {len(adapter.balance().assets)} assets"
    _say("adapter", f"{settings.exchange_adapter_url}: {found}")


def _alerts_are_understood(settings: Settings) -> bool:
    """Whether apprise knows every alert URL; whether anybody hears is for ``execsvc alert``."""
    understood = True
    for target in alert_targets(settings):
        known = "known" if target.understood else "apprise does not know such a URL"
        _say("alerts", f"URL {target.name}: {known}")
        understood = understood and target.understood
    return understood


def _say(what: str, text: str) -> None:
    findings: list[dict[str, str]] | None = click.get_current_context().meta.get(_FINDINGS)
    if findings is None:
        click.echo(f"{what:<13}  {plain_text(text)}")
    else:
        findings.append({"check": what, "what": text})


def _collected(as_json: bool) -> list[dict[str, str]]:
    """Where findings are kept from now on, if they are not to be printed as they come."""
    findings: list[dict[str, str]] = []
    if as_json:
        click.get_current_context().meta[_FINDINGS] = findings
    return findings
