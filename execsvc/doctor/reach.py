"""Both services: checks that they answer, as expected and in time."""

from __future__ import annotations

from execsvc.clients.bot_service import Listing
from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient
from execsvc.clients.service_http import adapter_http, bot_service_http
from execsvc.clock import monotonic
from execsvc.doctor import adapter_health, clock_skew, services
from execsvc.doctor.finding import Cause, Finding, fault, passed, warning
from execsvc.errors import Unavailable
from execsvc.model.bot import BotSpec, Mode
from execsvc.model.market import plain
from execsvc.settings import Settings

MOST_FAILURES = 3
"""Accounts in a row with an unreadable balance, after which the others are not read."""
SLOW_SHARE = 2
"""A read that takes more than this part of its time-out is close to failing."""
_BOTS = "bot service"
_ADAPTER = "adapter"
_ROWS = "bots"
_START = "check that it runs, and that its URL and token are right"


def check(settings: Settings) -> tuple[list[Finding], Listing | None]:
    """The findings about both services, and the listing if there was one."""
    findings, listing = _bot_service(settings)
    bots = [] if listing is None else list(listing.bots.values())
    return [*findings, *_adapter(settings, bots)], listing


def _bot_service(settings: Settings) -> tuple[list[Finding], Listing | None]:
    began = monotonic()
    try:
        rows = services.rows(settings)
    except Unavailable as error:
        return [_silent(_BOTS, settings.bot_service_url, error)], None
    took, listing = _took(monotonic() - began), rows.listing
    found = f"{len(listing.bots)} bots to run ({rows.found})"
    findings = [
        passed(_BOTS, f"{settings.bot_service_url}: {found}, {took}"),
        *(
            [warning(_ROWS, rows.waiting, "set EXECSVC_BOT_LIFECYCLE=auto and restart")]
            if rows.waiting is not None
            else []
        ),
        *(
            warning(_ROWS, line, "correct the row in BotService: such a bot is not run")
            for line in (*services.refused_rows(listing), *services.invalid_rows(listing))
        ),
    ]
    findings += [
        warning(_ROWS, line, "change the row in BotService, unless this is intended")
        for line in services.remarks(listing)
    ]
    return [*findings, clock_skew.check("BotService", bot_service_http(settings))], listing


def _adapter(settings: Settings, bots: list[BotSpec]) -> list[Finding]:
    http = adapter_http(settings)
    spec = services.first(bots)
    findings: list[Finding] = []
    try:
        health = adapter_health.read_health(http)
        if health is not None:
            findings.append(_health_finding(settings, health))
        began = monotonic()
        if spec is None:
            found = f"HTTP {http.get_any_status('GET /', '/').status}; no bot to ask for"
        else:
            symbol = spec.binding.symbol
            ticker = services.adapter(settings, http, spec.binding.key_id).ticker(symbol)
            found = f"{symbol} at {plain(ticker.price)}"
    except Unavailable as error:
        return [*findings, _silent(_ADAPTER, settings.exchange_adapter_url, error)]
    seconds = monotonic() - began
    what = f"{settings.exchange_adapter_url}: {found}, {_took(seconds)}"
    return [
        *findings,
        _slow(what) if seconds > settings.request_timeout / SLOW_SHARE else passed(_ADAPTER, what),
        *_balances(settings, http, bots),
        clock_skew.check("the adapter", http),
    ]


def _balances(settings: Settings, http: HttpClient, bots: list[BotSpec]) -> list[Finding]:
    """One read for each account that is traded live."""
    findings: list[Finding] = []
    failures = 0
    keys = dict.fromkeys(bot.binding.key_id for bot in bots if bot.binding.mode is Mode.LIVE)
    for asked, key_id in enumerate(keys):
        if failures == MOST_FAILURES:
            findings.append(
                warning(_ADAPTER, f"{len(keys) - asked} more accounts were not asked", _START)
            )
            break
        finding = _balance(key_id, services.adapter(settings, http, key_id))
        failures = failures + 1 if finding.cause is Cause.UNREACHABLE else 0
        findings.append(finding)
    return findings


def _balance(key_id: str, adapter: ExchangeAdapter) -> Finding:
    began = monotonic()
    try:
        assets = len(adapter.balance().assets)
    except Unavailable as error:
        return fault(
            _ADAPTER,
            f"account {key_id}: {error}",
            "check that the adapter knows this key and the exchange accepts it",
            Cause.UNREACHABLE,
        )
    return passed(_ADAPTER, f"account {key_id}: {assets} assets, {_took(monotonic() - began)}")


def _silent(check: str, url: str, error: Unavailable) -> Finding:
    return fault(check, f"{url}: {error}", _START, Cause.UNREACHABLE)


def _health_finding(settings: Settings, health: adapter_health.AdapterHealth) -> Finding:
    what = f"{settings.exchange_adapter_url}: {health.text}"
    if health.is_healthy:
        return passed(_ADAPTER, what)
    return warning(_ADAPTER, what, "check the adapter's own log, its exchange and its keys")


def _slow(what: str) -> Finding:
    return warning(
        _ADAPTER,
        what,
        "speed up the adapter, or raise EXECSVC_REQUEST_TIMEOUT: reads are close to it",
    )


def _took(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
