"""Checks of settings against each other: which cannot work, and which may change in flight."""

from __future__ import annotations

from urllib.parse import urlsplit

from execsvc.settings.addresses import Bind
from execsvc.settings.directories import ends_with_session
from execsvc.settings.model import PREFIX, Settings, variable_of

LONGEST_SILENCE = 10.0
"""Seconds within which every process sends a heartbeat."""
LONGEST_RESTART_DELAY = 60.0
LONGEST_LIQUIDATION_DELAY = 8.0
LONGEST_BETWEEN_READS = 60.0
"""Seconds between two reads without the coins, up to which the time between them counts."""

RELOADABLE = frozenset(
    {
        "poll_interval",
        "tick_interval",
        "request_timeout",
        "order_timeout",
        "settlement_window",
        "gone_after",
        "liquidation_backoff",
        "liquidation_retry",
        "stop_timeout",
        "shutdown_timeout",
        "hang_timeout",
        "restart_window",
        "alert_reminder",
        "log_level",
        "max_order_notional",
        "max_orders_per_minute",
        "daily_loss_limit",
        "max_data_age",
    }
)
"""Fields that a reload may change; everything else keeps its value until a restart."""

OF_ALL_HOSTS = frozenset({"order_timeout", "settlement_window"})
"""Fields that hosts which share a store have agreed on before the first of them joined."""


def merged(running: Settings, reloaded: Settings) -> tuple[Settings, list[str]]:
    """``running`` with what may change in flight taken from ``reloaded``.

    Also returns the variables that differ but need a restart, for the log.
    """
    changed = [
        field
        for field in Settings.model_fields
        if getattr(running, field) != getattr(reloaded, field)
    ]
    reloadable = RELOADABLE if running.store_url is None else RELOADABLE - OF_ALL_HOSTS
    taken = {field: getattr(reloaded, field) for field in changed if field in reloadable}
    late = [variable_of(field) for field in changed if field not in reloadable]
    return running.model_copy(update=taken), late


def warnings(settings: Settings) -> list[str]:
    """Combinations of settings that are allowed but cannot work together, one line each."""
    return [
        *_stop_warnings(settings),
        *_watch_warnings(settings),
        *_clear_text_warnings(settings),
        *_session_warnings(settings),
    ]


def _stop_warnings(settings: Settings) -> list[str]:
    lines = []
    order = settings.order_timeout + settings.settlement_window
    liquidation = settings.stop_timeout * 3 / 4
    if liquidation < order:
        lines.append(
            f"{PREFIX}STOP_TIMEOUT leaves {liquidation:g} s beside on_stop, less than the"
            f" {order:g} s that one order and its settlement may take ({PREFIX}ORDER_TIMEOUT"
            f" + {PREFIX}SETTLEMENT_WINDOW)"
        )
    waits = _liquidation_waits(settings)
    if liquidation < waits:
        lines.append(
            f"{PREFIX}STOP_TIMEOUT leaves {liquidation:g} s beside on_stop, less than the"
            f" {waits:g} s between the {settings.liquidation_attempts} attempts of a liquidation"
        )
    if settings.shutdown_timeout < settings.stop_timeout:
        lines.append(
            f"{PREFIX}SHUTDOWN_TIMEOUT ({settings.shutdown_timeout:g} s) is shorter than"
            f" {PREFIX}STOP_TIMEOUT ({settings.stop_timeout:g} s)"
        )
    return lines


def _watch_warnings(settings: Settings) -> list[str]:
    lines = []
    if settings.hang_timeout < 2 * LONGEST_SILENCE:
        lines.append(
            f"{PREFIX}HANG_TIMEOUT ({settings.hang_timeout:g} s) is shorter than twice the"
            f" {LONGEST_SILENCE:g} s within which a healthy runner sends a heartbeat"
        )
    delays = _restart_delays(settings)
    if delays > settings.restart_window:
        lines.append(
            f"{PREFIX}MAX_RESTARTS ({settings.max_restarts}) can never be reached within"
            f" {PREFIX}RESTART_WINDOW ({settings.restart_window:g} s): so many restarts are"
            f" spread over {delays:g} s"
        )
    if settings.gone_after < settings.settlement_window:
        lines.append(
            f"{PREFIX}GONE_AFTER ({settings.gone_after:g} s) is shorter than"
            f" {PREFIX}SETTLEMENT_WINDOW ({settings.settlement_window:g} s):"
            " coins whose balance lags would be booked as gone"
        )
    if settings.liquidation_retry > LONGEST_BETWEEN_READS:
        lines.append(
            f"{PREFIX}LIQUIDATION_RETRY ({settings.liquidation_retry:g} s) is longer than the"
            f" {LONGEST_BETWEEN_READS:g} s between two reads that count towards {PREFIX}GONE_AFTER:"
            " coins that were sold by hand may never be booked as gone"
        )
    return lines


def _clear_text_warnings(settings: Settings) -> list[str]:
    services = (
        ("BOT_SERVICE", settings.bot_service_url, settings.bot_service_token),
        ("EXCHANGE_ADAPTER", settings.exchange_adapter_url, settings.exchange_adapter_token),
    )
    return [
        f"{PREFIX}{name}_TOKEN crosses the network in clear text, {PREFIX}{name}_URL is http"
        for name, url, token in services
        if token is not None and url.startswith("http:") and not _is_local(url)
    ]


def _session_warnings(settings: Settings) -> list[str]:
    if not ends_with_session(settings.runtime_dir):
        return []
    line = (
        f"{PREFIX}RUNTIME_DIR ({settings.runtime_dir}) is emptied when the last session of this user"
        " ends: no command would reach the service then (loginctl enable-linger keeps it, so does"
        " another directory)"
    )
    return [line]


def _is_local(url: str) -> bool:
    return Bind(host=urlsplit(url).hostname or "", port=0).is_loopback


def _liquidation_waits(settings: Settings) -> float:
    """Seconds between the attempts of one liquidation, at most."""
    attempts = range(min(settings.liquidation_attempts, 1000) - 1)
    return sum(
        min(settings.liquidation_backoff * 2.0 ** min(n, 40), LONGEST_LIQUIDATION_DELAY)
        for n in attempts
    )


def _restart_delays(settings: Settings) -> float:
    """Seconds over which so many restarts in a row are spread, at least."""
    later = max(settings.max_restarts - 1, 0)
    return sum(min(2.0**n, LONGEST_RESTART_DELAY) for n in range(min(later, 6))) + (
        LONGEST_RESTART_DELAY * max(later - 6, 0)
    )
