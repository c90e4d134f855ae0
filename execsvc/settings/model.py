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
    """``none``, in any case, is another word for a limit of zero: there is no limit."""
    return "0" if isinstance(value, str) and value.lower() == "none" else value


class Switch(str, Enum):
    """Whether an optional part of BotService is used; ``auto``: as far as BotService answers it."""

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
AlertUrls = Annotated[SecretStr | None, BeforeValidator(_alert_urls)]
Url = Annotated[str, AfterValidator(service_url)]
Directory = Annotated[Path, BeforeValidator(_directory)]
Level = Annotated[
    Literal["TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(_upper),
]


class Settings(BaseModel):
    """Every variable of the service; a field is named as its variable without ``EXECSVC_``.

    Durations are in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bot_service_url: Url
    exchange_adapter_url: Url
    bot_service_token: Token = None
    exchange_adapter_token: Token = None
    poll_interval: Seconds = 5.0
    page_size: Annotated[int, Field(ge=0, le=100_000)] = 200
    tick_interval: Interval = 5.0
    request_timeout: Seconds = 5.0
    order_timeout: Seconds = 30.0
    settlement_window: Seconds = 10.0
    gone_after: SecondsOrNone = 600.0
    liquidation_attempts: Count = 5
    liquidation_backoff: SecondsOrNone = 1.0
    liquidation_retry: Seconds = 30.0
    stop_timeout: Seconds = 90.0
    shutdown_timeout: Seconds = 120.0
    on_shutdown: Literal["liquidate", "hold"] = "liquidate"
    hang_timeout: Seconds = 60.0
    max_restarts: CountOrNone = 5
    restart_window: Seconds = 300.0
    max_order_notional: Money = Decimal(0)
    max_orders_per_minute: Annotated[CountOrNone, BeforeValidator(_zero_for_none)] = 0
    daily_loss_limit: Money = Decimal(0)
    max_data_age: Annotated[SecondsOrNone, BeforeValidator(_zero_for_none)] = 0.0
    mass_stop_threshold: Count = 5
    mass_stop_confirmations: Count = 3
    report_ledger: Annotated[Switch, BeforeValidator(_switch)] = Switch.AUTO
    bot_lifecycle: Annotated[Switch, BeforeValidator(_switch)] = Switch.AUTO
    state_dir: Directory
    runtime_dir: Directory
    http_token: Token = None
    http_bind: Annotated[Bind, BeforeValidator(Bind.parse)] = Bind(host="127.0.0.1", port=8090)
    alert_urls: AlertUrls = None
    alert_reminder: SecondsOrNone = 3600.0
    log_level: Level = "INFO"
    log_format: Literal["auto", "text", "json", "journald"] = "auto"

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


SECRET = frozenset({"bot_service_token", "exchange_adapter_token", "http_token", "alert_urls"})
URLS = ("bot_service_url", "exchange_adapter_url")


def secrets_of(settings: Settings) -> list[str]:
    """Every secret that ``settings`` hold: tokens, and alert URLs with the passwords in them."""
    found: list[str] = []
    for name in sorted(SECRET):
        value: SecretStr | None = getattr(settings, name)
        if value is None:
            continue
        if name != "alert_urls":
            found.append(value.get_secret_value())
            continue
        for url in alert_urls(value.get_secret_value()):
            whole = url.partition("://")[2]
            password = whole.rpartition("@")[0].partition(":")[2]
            found += [part for part in (url, whole, password) if part]
    return found


def variable_of(field: str) -> str:
    """The name of the variable behind a field."""
    return PREFIX + field.upper()
