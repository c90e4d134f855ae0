"""Settings: their ranges, what works together, and that no token is ever shown."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.settings import URLS, faults, settings

from execsvc.errors import ConfigRefused
from execsvc.execution.guards import NO_LIMITS, GuardLimits, limits_of
from execsvc.settings import Switch, alert_urls, merged, warnings


def test_the_defaults_are_those_of_the_contract() -> None:
    given = settings()
    assert given.model_dump(include={"poll_interval", "page_size", "order_timeout"}) == {
        "poll_interval": 5,
        "page_size": 200,
        "order_timeout": 30,
    }
    assert str(given.http_bind) == "127.0.0.1:8090"
    assert given.on_shutdown == "liquidate"
    assert (given.report_ledger, given.bot_lifecycle) == (Switch.AUTO, Switch.AUTO)
    assert warnings(given) == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POLL_INTERVAL", "0"),
        ("POLL_INTERVAL", "-1"),
        ("POLL_INTERVAL", "nan"),
        ("POLL_INTERVAL", "inf"),
        ("POLL_INTERVAL", ""),
        ("POLL_INTERVAL", "5s"),
        ("TICK_INTERVAL", "0.04"),
        ("TICK_INTERVAL", "3601"),
        ("PAGE_SIZE", "1.5"),
        ("LIQUIDATION_ATTEMPTS", "0"),
        ("LIQUIDATION_BACKOFF", "-1"),
        ("MAX_RESTARTS", "-1"),
        ("MASS_STOP_CONFIRMATIONS", "0"),
        ("MAX_ORDER_NOTIONAL", "-1"),
        ("MAX_ORDER_NOTIONAL", ""),
        ("MAX_ORDER_NOTIONAL", "inf"),
        ("MAX_ORDERS_PER_MINUTE", "0.5"),
        ("MAX_ORDERS_PER_MINUTE", "-1"),
        ("DAILY_LOSS_LIMIT", "nan"),
        ("DAILY_LOSS_LIMIT", "10 USDT"),
        ("MAX_DATA_AGE", "-1"),
        ("ON_SHUTDOWN", "sell"),
        ("REPORT_LEDGER", "2"),
        ("BOT_LIFECYCLE", ""),
        ("LOG_LEVEL", "LOUD"),
        ("STATE_DIR", ""),
        ("HTTP_BIND", "8090"),
        ("HTTP_BIND", ":8090"),
        ("HTTP_BIND", "127.0.0.1:65536"),
        ("HTTP_BIND", "::1:80"),
        ("HTTP_BIND", "[::g]:80"),
        ("HTTP_BIND", "[::]:80"),
        ("HTTP_BIND", "example.org:80"),
        ("RUNTIME_DIR", "/" + "x" * 100),
        ("BOT_SERVICE_URL", ""),
        ("BOT_SERVICE_URL", "bots:8000"),
        ("BOT_SERVICE_URL", "http://"),
        ("BOT_SERVICE_URL", "http://a..b"),
        ("BOT_SERVICE_URL", "http://user:pw@bots"),
        ("BOT_SERVICE_URL", "http://bots?x=1"),
        ("BOT_SERVICE_URL", "http://bots#x"),
        ("BOT_SERVICE_URL", "http://bots/../x"),
        ("BOT_SERVICE_URL", "http://bots:0"),
        ("BOT_SERVICE_URL", "http://bots:99999"),
        ("BOT_SERVICE_URL", "http://[::z]"),
        ("BOT_SERVICE_URL", "http://bots\nx"),
        ("BOT_SERVICE_TOKEN", "two words"),
        ("BOT_SERVICE_TOKEN", "x\r\nHost: evil"),
        ("EXCHANGE_ADAPTER_TOKEN", "schlüssel"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(variable: str, value: str) -> None:
    lines = faults({**URLS, f"EXECSVC_{variable}": value})
    assert len(lines) == 1
    assert lines[0].startswith(f"EXECSVC_{variable}: ")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("poll_interval", "0.05"),
        ("request_timeout", "0.2"),
        ("settlement_window", "0.5"),
        ("liquidation_backoff", "0"),
        ("liquidation_retry", "0.2"),
        ("stop_timeout", "1"),
        ("hang_timeout", "1"),
        ("max_restarts", "0"),
        ("page_size", "0"),
        ("log_level", "debug"),
        ("http_bind", "127.0.0.1:0"),
        ("http_bind", "[::1]:8090"),
        ("http_bind", "localhost:8090"),
    ],
)
def test_fast_and_unusual_values_are_taken(variable: str, value: str) -> None:
    assert str(getattr(settings(**{variable: value}), variable)).lower().startswith(value)


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("HTTP://bots", "http://bots"),
        ("http://bots/", "http://bots"),
        ("https://10.0.0.1:8443/a/b/", "https://10.0.0.1:8443/a/b"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("http://my_container:80", "http://my_container:80"),
    ],
)
def test_urls_lose_their_trailing_slash(url: str, used: str) -> None:
    assert settings(bot_service_url=url).bot_service_url == used


@pytest.mark.parametrize("none", ["0", "none", "None"])
def test_no_guard_is_on_unless_it_is_given(none: str) -> None:
    assert limits_of(settings()) == NO_LIMITS
    off = dict.fromkeys(
        ("max_order_notional", "max_orders_per_minute", "daily_loss_limit", "max_data_age"), none
    )
    assert limits_of(settings(**off)) == NO_LIMITS
    on = settings(
        max_order_notional="0.5", max_orders_per_minute="1", daily_loss_limit="2", max_data_age="3"
    )
    assert limits_of(on) == GuardLimits(Decimal("0.5"), 1, Decimal(2), 3.0)
    now, late = merged(settings(), on)
    assert (limits_of(now), late) == (limits_of(on), [])


def test_a_bind_that_all_can_reach_needs_a_token() -> None:
    open_to_all = settings(http_bind="0.0.0.0:80", http_token="secret")
    assert open_to_all.http_bind.port == 80


def test_a_token_at_fault_does_not_blame_the_bind() -> None:
    lines = faults({**URLS, "EXECSVC_HTTP_BIND": "0.0.0.0:80", "EXECSVC_HTTP_TOKEN": "a b"})
    assert [line.split(":")[0] for line in lines] == ["EXECSVC_HTTP_TOKEN"]


def test_tokens_are_never_shown() -> None:
    given = settings(
        bot_service_token="hush-1", exchange_adapter_token="hush-2", http_token="hush-3"
    )
    assert "hush" not in repr(given) + str(given) + given.model_dump_json()
    assert given.bot_service_token is not None
    assert given.bot_service_token.get_secret_value() == "hush-1"
    with pytest.raises(ConfigRefused) as refused:
        settings(
            bot_service_token="hush 1", http_token="hush\t3", bot_service_url="http://u:hush@x"
        )
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "urls"),
    [
        ("json://a/b", ["json://a/b"]),
        (" a://x?to=m@n.o,p@q.r ,\n b+c://y\t", ["a://x?to=m@n.o,p@q.r", "b+c://y"]),
        ("json://a?next=http://b/c,json://d", ["json://a?next=http://b/c", "json://d"]),
    ],
)
def test_alert_urls(given: str, urls: list[str]) -> None:
    kept = settings(alert_urls=given).alert_urls
    assert kept is not None
    assert alert_urls(kept.get_secret_value()) == urls


@pytest.mark.parametrize("given", ["", " , \n"])
def test_no_alert_urls(given: str) -> None:
    assert settings(alert_urls=given).alert_urls is None


@pytest.mark.parametrize(
    "given", ["hush", "//hush", "json://", "json://a hush", "1a://hush", "a://\xe9"]
)
def test_bad_alert_urls_are_refused_and_not_shown(given: str) -> None:
    (line,) = faults({**URLS, "EXECSVC_ALERT_URLS": given})
    assert line.startswith("EXECSVC_ALERT_URLS: ")
    assert "hush" not in line


def test_an_empty_token_is_none() -> None:
    assert settings(bot_service_token="").bot_service_token is None


def test_a_settings_object_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings().poll_interval = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"stop_timeout": "40"}, "ORDER_TIMEOUT"),
        ({"shutdown_timeout": "60"}, "SHUTDOWN_TIMEOUT"),
        ({"hang_timeout": "15"}, "HANG_TIMEOUT"),
        ({"max_restarts": "20"}, "MAX_RESTARTS"),
        ({"gone_after": "5"}, "GONE_AFTER"),
        ({"liquidation_retry": "61"}, "LIQUIDATION_RETRY"),
        ({"liquidation_attempts": "20"}, "attempts"),
        ({"bot_service_token": "x"}, "clear text"),
    ],
)
def test_incompatible_settings_are_a_warning(variables: dict[str, str], named: str) -> None:
    lines = warnings(settings(**variables))
    assert len(lines) == 1
    assert named in lines[0]


def test_merged_takes_reloadable_settings_alone() -> None:
    running = settings(http_bind="127.0.0.1:1")
    reloaded = settings(http_bind="127.0.0.1:2", poll_interval="1", log_level="DEBUG")
    now, late = merged(running, reloaded)
    assert (now.poll_interval, now.log_level, now.http_bind.port) == (1, "DEBUG", 1)
    assert late == ["EXECSVC_HTTP_BIND"]
    assert merged(now, now) == (now, [])


@pytest.mark.parametrize(
    ("value", "switch"),
    [("auto", "AUTO"), ("AUTO", "AUTO"), ("true", "ON"), ("1", "ON"), ("No", "OFF"), ("0", "OFF")],
)
def test_a_switch_given_in_any_case_is_one_of_three(value: str, switch: str) -> None:
    given = settings(report_ledger=value, bot_lifecycle=value)
    assert given.report_ledger is given.bot_lifecycle is Switch[switch]


def test_a_switch_given_something_else_is_refused_by_its_name() -> None:
    (fault,) = faults({**URLS, "EXECSVC_BOT_LIFECYCLE": "maybe"})
    assert fault.startswith("EXECSVC_BOT_LIFECYCLE")
    assert "auto, true or false" in fault
