"""The settings: one frozen object, a field for every variable, each with its range."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from execsvc.settings.addresses import Bind, service_url

PREFIX = "EXECSVC_"
SOCKET_NAME = "control.sock"
LONGEST_SOCKET_PATH = 107
"""Bytes of a unix socket's path that the kernel takes."""
LONGEST_TOKEN = 4096
DAY = 86400.0
_BETWEEN_URLS = ", \t\r\n"
_BEFORE_URL = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_STORE_URL = re.compile(r"postgres(ql)?://[!-~]+|[A-Za-z0-9_.-]+")
_HOST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ALERT_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[!-~]+")

Seconds = Annotated[float, Field(gt=0, le=30 * DAY, allow_inf_nan=False)]
SecondsOrNone = Annotated[float, Field(ge=0, le=30 * DAY, allow_inf_nan=False)]
Interval = Annotated[float, Field(ge=0.05, le=3600, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
CountOrNone = Annotated[int, Field(ge=0, le=1_000_000)]


def _token(value: Any) -> Any:
    """None for an empty token; a header takes visible ASCII only. The value is never named."""
    if value in (None, ""):
        return None
    if len(value) > LONGEST_TOKEN or not all("!" <= character <= "~" for character in value):
        raise ValueError(f"is not 1 to {LONGEST_TOKEN} visible ASCII characters without spaces")
    return value


def _alert_urls(value: Any) -> Any:
    """None for nothing; else each part has to be a URL. The value is never named."""
    if value is None or not value.strip(_BETWEEN_URLS):
        return None
    if len(value) > LONGEST_TOKEN or not all(map(_ALERT_URL.fullmatch, alert_urls(value))):
        raise ValueError("is not scheme://… URLs, separated by spaces or commas")
    return value


def _store_url(value: Any) -> Any:
    """None for nothing; else a URL of PostgreSQL or the name of a service. The value is never named."""
    if value in (None, ""):
        return None
    if len(value) > LONGEST_TOKEN or not _STORE_URL.fullmatch(value):
        raise ValueError("is not postgresql://…, nor the name of a libpq service")
    return value


def _host_id(value: Any) -> Any:
    """None for nothing; else a name that is readable in a log line."""
    if value in (None, ""):
        return None
    if not _HOST_ID.fullmatch(value):
        raise ValueError("is not 1 to 64 letters, digits, dots, hyphens and underscores")
    return value


def alert_urls(value: str) -> list[str]:
    """The single URLs of ``EXECSVC_ALERT_URLS``: a comma within one is followed by no scheme."""
    return [url for url in _BEFORE_URL.split(value.strip(_BETWEEN_URLS)) if url]


def _directory(value: Any) -> Any:
    if isinstance(value, str) and not value:
        raise ValueError("is empty")
    try:
        return os.path.abspath(Path(value).expanduser())
    except RuntimeError:
        raise ValueError("names a home directory that is not known") from None


def _zero_for_none(value: Any) -> Any:
    """Zero for ``none``, in any case: there is no limit."""
    return "0" if isinstance(value, str) and value.lower() == "none" else value


class Switch(str, Enum):
    """The use of an optional part of BotService; ``auto``: as far as BotService answers it."""

    AUTO = "auto"
    ON = "true"
    OFF = "false"


_SWITCHES = {
    **dict.fromkeys(("true", "1", "yes", "on", "y", "t"), Switch.ON),
    **dict.fromkeys(("false", "0", "no", "off", "n", "f"), Switch.OFF),
    "auto": Switch.AUTO,
}


def _switch(value: Any) -> Any:
    if isinstance(value, Switch):
        return value
    if not isinstance(value, str) or value.lower() not in _SWITCHES:
        raise ValueError("is not auto, true or false")
    return _SWITCHES[value.lower()]


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


Money = Annotated[
    Decimal,
    Field(ge=0, le=Decimal("1e15"), allow_inf_nan=False),
    BeforeValidator(_zero_for_none),
]
"""A limit in quote; 0 for none."""
Token = Annotated[SecretStr | None, BeforeValidator(_token)]
HostId = Annotated[str | None, BeforeValidator(_host_id)]
AlertUrls = Annotated[SecretStr | None, BeforeValidator(_alert_urls)]
StoreUrl = Annotated[SecretStr | None, BeforeValidator(_store_url)]
Url = Annotated[str, AfterValidator(service_url)]
Directory = Annotated[Path, BeforeValidator(_directory)]
Level = Annotated[
    Literal["TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(_upper),
]


class Settings(BaseModel):
    """Every variable of the service; a field is named as its variable without ``EXECSVC_``.

    Durations are in seconds. ``execsvc help settings`` prints defaults and descriptions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bot_service_url: Url = Field(
        description="Required. Address of BotService: http(s)://host[:port][/prefix]."
    )
    exchange_adapter_url: Url = Field(
        description="Required. Address of ExchangeAdapterService, in the same form."
    )
    bot_service_token: Token = Field(
        None,
        description="Sent to BotService as Authorization: Bearer; also read from the systemd credential"
        " execsvc_bot_service_token.",
    )
    exchange_adapter_token: Token = Field(
        None,
        description="Sent to ExchangeAdapterService in the same way; credential"
        " execsvc_exchange_adapter_token.",
    )
    poll_interval: Seconds = Field(5.0, description="Time between two listings of the bots.")
    page_size: Annotated[int, Field(ge=0, le=100_000)] = Field(
        200, description="Rows of a listing per request; 0: send neither skip nor limit."
    )
    tick_interval: Interval = Field(
        5.0, description="Time between two ticks of a bot whose row has no interval_sec."
    )
    request_timeout: Seconds = Field(
        5.0, description="Time for one read of either service, all of it."
    )
    order_timeout: Seconds = Field(30.0, description="Time for one order.")
    settlement_window: Seconds = Field(
        10.0, description="Time within which an order of unknown outcome may still execute."
    )
    gone_after: SecondsOrNone = Field(
        600.0,
        description="Time without the coins in any balance before they are booked as gone; the time between"
        " two reads counts when it is 60 s at most.",
    )
    liquidation_attempts: Count = Field(
        5,
        description="Sell attempts of one liquidation, each in as many parts as the exchange fills.",
    )
    liquidation_backoff: SecondsOrNone = Field(
        1.0, description="Wait before the second attempt; then doubling, at most 8."
    )
    liquidation_retry: Seconds = Field(
        30.0, description="Wait before a failed liquidation is tried again."
    )
    stop_timeout: Seconds = Field(
        90.0, description="Time for one bot to stop and sell before its process is killed."
    )
    shutdown_timeout: Seconds = Field(
        120.0, description="Time for all bots to stop and sell when the service stops."
    )
    store_url: StoreUrl = Field(
        None,
        description="Experimental. The PostgreSQL that several hosts share: postgresql://… or the name of a"
        " libpq service. Without one the records are SQLite files in the state directory. Credential"
        " execsvc_store_url.",
    )
    store_password: Token = Field(
        None,
        description="The password for the store's URL; without one libpq reads ~/.pgpass. Credential"
        " execsvc_store_password.",
    )
    host_id: HostId = Field(
        None,
        description="Name of this host among those that share the store. Default: the machine's host name.",
    )
    on_shutdown: Literal["liquidate", "hold", "handover"] = Field(
        "liquidate",
        description="Positions when the service stops: liquidate sells them, hold keeps them for the"
        " next start, which resumes them; handover, the default with EXECSVC_STORE_URL, keeps them for"
        " another host.",
    )
    hang_timeout: Seconds = Field(
        60.0, description="Time without a heartbeat until a bot's process is replaced."
    )
    max_restarts: CountOrNone = Field(
        5, description="Restarts of a bot within EXECSVC_RESTART_WINDOW before it is FAILED."
    )
    restart_window: Seconds = Field(
        300.0, description="Time within which EXECSVC_MAX_RESTARTS are counted."
    )
    max_order_notional: Money = Field(
        Decimal(0), description="Largest entry, in quote; 0 or none: no limit."
    )
    max_orders_per_minute: Annotated[CountOrNone, BeforeValidator(_zero_for_none)] = Field(
        0, description="Entries of one bot within a minute; 0 or none: no limit."
    )
    daily_loss_limit: Money = Field(
        Decimal(0),
        description="Quote that one bot may lose on a day of UTC; 0 or none: no limit.",
    )
    max_data_age: Annotated[SecondsOrNone, BeforeValidator(_zero_for_none)] = Field(
        0.0, description="Age of the market data of an entry; 0 or none: no limit."
    )
    mass_stop_threshold: Count = Field(
        5,
        description="A listing that would stop this many bots, and more than half of them, is a mass stop.",
    )
    mass_stop_confirmations: Count = Field(
        3, description="Successive listings that have to show a mass stop before it is carried out."
    )
    report_ledger: Annotated[Switch, BeforeValidator(_switch)] = Field(
        Switch.AUTO,
        description="Report every order and its execution to BotService: auto (where BotService takes such"
        " calls), true or false.",
    )
    bot_lifecycle: Annotated[Switch, BeforeValidator(_switch)] = Field(
        Switch.AUTO,
        description="Take BOOTING and STOPPING of BotService's rows for requests, and answer them: auto,"
        " true or false.",
    )
    state_dir: Directory = Field(
        description="Ledgers, journals and locks, mode 0700. Default: $STATE_DIRECTORY where systemd"
        " sets it, else ~/.local/state/execsvc."
    )
    runtime_dir: Directory = Field(
        description="The control socket, mode 0700. Default: $RUNTIME_DIRECTORY where systemd sets it,"
        " else $XDG_RUNTIME_DIR/execsvc, else /tmp/execsvc-<uid>."
    )
    http_token: Token = Field(
        None,
        description="Required by everything but /health, when set; without it only a loopback address may"
        " be bound. Credential execsvc_http_token.",
    )
    http_bind: Annotated[Bind, BeforeValidator(Bind.parse)] = Field(
        Bind(host="127.0.0.1", port=8090),
        description="Address of the page, /health, /status and /metrics: host:port.",
    )
    alert_urls: AlertUrls = Field(
        None,
        description="Addresses of apprise that alerts go to, separated by spaces or commas. Credential"
        " execsvc_alert_urls.",
    )
    alert_reminder: SecondsOrNone = Field(
        3600.0,
        description="Time until the alert of a liquidation that still fails is repeated; 0: never.",
    )
    log_level: Level = Field(
        "INFO",
        description="Least level that is logged: TRACE, DEBUG, INFO, SUCCESS, WARNING, ERROR or CRITICAL.",
    )
    log_format: Literal["auto", "text", "json", "journald"] = Field(
        "auto",
        description="auto, text, json or journald; auto is journald where systemd takes the log, else"
        " text.",
    )

    @property
    def holds_when_stopped(self) -> bool:
        """True when positions are kept at a stop of the service that was asked for."""
        return self.on_shutdown != "liquidate"

    @property
    def holds_when_orphaned(self) -> bool:
        """True when positions are kept once the supervisor is gone: another host may go on with them."""
        return self.holds_when_stopped or self.store_url is not None

    @model_validator(mode="before")
    @classmethod
    def _hands_over(cls, values: Any) -> Any:
        if values.get("store_url") and "on_shutdown" not in values:
            return {**values, "on_shutdown": "handover"}
        return values

    @field_validator("on_shutdown")
    @classmethod
    def _has_a_peer(cls, value: str, info: ValidationInfo) -> str:
        # A URL that is itself at fault is missing from info.data, and has its own line.
        if value == "handover" and info.data.get("store_url", "at fault") is None:
            raise ValueError(f"handover needs {PREFIX}STORE_URL")
        return value

    @field_validator("runtime_dir")
    @classmethod
    def _socket_fits(cls, value: Path) -> Path:
        length = len(os.fsencode(value / SOCKET_NAME))
        if length > LONGEST_SOCKET_PATH:
            raise ValueError(
                f"the path of {SOCKET_NAME} in it has {length} bytes, more than the"
                f" {LONGEST_SOCKET_PATH} of a unix socket"
            )
        return value

    @field_validator("http_bind")
    @classmethod
    def _open_only_with_token(cls, value: Bind, info: ValidationInfo) -> Bind:
        # A token that is itself at fault is missing from info.data, and has its own line.
        if not value.is_loopback and info.data.get("http_token", "at fault") is None:
            raise ValueError(f"is not a loopback address, and {PREFIX}HTTP_TOKEN is not set")
        return value


SECRET = frozenset(
    {
        *("bot_service_token", "exchange_adapter_token", "http_token", "alert_urls"),
        *("store_url", "store_password"),
    }
)
URLS = ("bot_service_url", "exchange_adapter_url")


def secrets_of(settings: Settings) -> list[str]:
    """Every secret that ``settings`` hold: tokens, and URLs with the passwords in them."""
    found: list[str] = []
    for name in sorted(SECRET):
        value: SecretStr | None = getattr(settings, name)
        if value is None:
            continue
        if name == "store_url":
            found += filter(None, [_password_in(value.get_secret_value())])
        elif name != "alert_urls":
            found.append(value.get_secret_value())
        else:
            for url in alert_urls(value.get_secret_value()):
                whole = url.partition("://")[2]
                found += [part for part in (url, whole, _password_in(url)) if part]
    return found


def _password_in(url: str) -> str:
    """The password in the user's part of ``url``; empty without one."""
    return url.partition("://")[2].rpartition("@")[0].partition(":")[2]


def variable_of(field: str) -> str:
    """The name of the variable behind a field."""
    return PREFIX + field.upper()
