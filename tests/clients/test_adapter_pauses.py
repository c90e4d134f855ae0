"""Retry-After, for all bots of an account."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import responses
from support.adapter_samples import (
    BALANCE,
    DETAILS,
    TICKER,
    URL,
    Pauses,
    answer,
    order,
)

from execsvc.clients import bans
from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.errors import Banned, OrderRefused, OutcomeUnknown, Unavailable
from execsvc.model.order import Purpose

RETRY_AFTER = [
    (429, "7", 7, OrderRefused),
    (429, None, 1, OrderRefused),
    (429, "soon", 1, OrderRefused),
    (429, "nan", 1, OrderRefused),
    (429, "-5", 0, OrderRefused),
    (429, "1e9", 3600, OrderRefused),
    (503, "7", 7, OutcomeUnknown),
    (503, None, None, OutcomeUnknown),
    (503, "soon", None, OutcomeUnknown),
    (500, "7", None, OutcomeUnknown),
]


def in_seconds(seconds: float) -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(("status", "header", "seconds", "kind"), RETRY_AFTER)
def test_retry_after_pauses_the_account(
    service: responses.RequestsMock,
    adapter: ExchangeAdapter,
    pauses: Pauses,
    status: int,
    header: str | None,
    seconds: float | None,
    kind: type[OrderRefused] | type[OutcomeUnknown],
) -> None:
    headers = {} if header is None else {"Retry_After": header}
    answer(service, status, {"detail": "x"}, **headers)
    with pytest.raises(kind) as raised:
        order(adapter)
    assert raised.value.retry_after == seconds
    assert pauses.asked == ([] if seconds is None else [seconds])


def test_retry_after_may_be_a_date(
    service: responses.RequestsMock, adapter: ExchangeAdapter, pauses: Pauses
) -> None:
    answer(service, 429, "", Retry_After=in_seconds(100))
    answer(service, 429, "", Retry_After=in_seconds(-100))
    for _ in range(2):
        with pytest.raises(OrderRefused):
            order(adapter)
    assert 50 < pauses.asked[0] <= 100
    assert pauses.asked[1] == 0


def test_retry_after_counts_for_reads_and_for_unreadable_bodies(
    service: responses.RequestsMock, adapter: ExchangeAdapter, pauses: Pauses
) -> None:
    service.get(f"{URL}/balance/key%2F1", status=429, headers={"Retry-After": "7"})
    with pytest.raises(Unavailable) as raised:
        adapter.balance()
    assert raised.value.retry_after == 7
    answer(service, 429, b"x", Retry_After="8", Content_Encoding="gzip")
    with pytest.raises(OutcomeUnknown):
        order(adapter)
    assert pauses.asked == [7, 8]


def test_read_of_a_paused_account_sends_nothing(
    service: responses.RequestsMock, adapter: ExchangeAdapter, pauses: Pauses
) -> None:
    pauses.left = [3.2]
    with pytest.raises(Unavailable, match=r"GET /balance: account paused for 3\.2 s") as raised:
        adapter.balance()
    assert raised.value.retry_after == 3.2
    assert pauses.asked == []
    assert len(service.calls) == 0


def test_a_short_pause_is_waited_out(
    service: responses.RequestsMock, adapter: ExchangeAdapter, pauses: Pauses
) -> None:
    service.get(f"{URL}/balance/key%2F1", json=BALANCE)
    pauses.left = [0.1, 0.0]
    assert adapter.balance().free("BTC")


def test_a_pause_that_was_prolonged_meanwhile_is_respected(
    service: responses.RequestsMock, adapter: ExchangeAdapter, pauses: Pauses
) -> None:
    pauses.left = [0.1, 9.0]
    with pytest.raises(Unavailable, match=r"paused for 9\.0 s"):
        adapter.balance()
    assert len(service.calls) == 0


def test_an_order_does_not_wait_for_a_pause(
    service: responses.RequestsMock, adapter: ExchangeAdapter, pauses: Pauses
) -> None:
    pauses.left = [100.0]
    answer(service, 200, {"details": DETAILS})
    assert order(adapter).filled


NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def until(seconds: float, unit: int = 1000) -> str:
    moment = int(NOON.timestamp() + seconds) * unit
    return f"IP banned until {moment}. Please use the websocket."


BANS = [
    (500, f'binance {{"code":-1003,"msg":"Way too many requests; {until(500)}"}}', None, 500),
    (418, f"Way too much request weight used; {until(500)}", "7", 500),
    (429, until(500, 1), None, 500),
    (500, until(500, 1_000_000), None, 500),
    (500, until(10**7), None, 3 * 24 * 3600),
    (500, until(-30), None, 0),
    (418, "teapot", "7.5", 7.5),
    (418, "teapot", None, 60),
    (500, 'binance {"code":-1003,"msg":"Too many requests."}', None, 60),
]


@pytest.mark.parametrize(("status", "detail", "header", "seconds"), BANS)
def test_ban_is_recognised_by_its_text(
    service: responses.RequestsMock,
    adapter: ExchangeAdapter,
    pauses: Pauses,
    status: int,
    detail: str,
    header: str | None,
    seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An order tells of it as a read does; the read is not tried again at once."""
    monkeypatch.setattr(bans, "now", lambda: NOON)
    headers = {} if header is None else {"Retry-After": header}
    service.get(f"{URL}/market/ticker", status=status, json={"detail": detail}, headers=headers)
    with pytest.raises(Banned):
        adapter.ticker("BTC/USDT")
    assert len(service.calls) == 1
    service.post(f"{URL}/order", status=status, json={"detail": detail}, headers=headers)
    with pytest.raises((OrderRefused, OutcomeUnknown)):
        order(adapter)
    assert pauses.bans == [seconds] * 2
    assert pauses.asked == []


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (500, "amount -1003.5"),
        (500, "order x-1003"),
        (500, "-10031"),
        (429, "code -1003"),
        (500, ""),
    ],
)
def test_other_failures_are_no_ban(
    service: responses.RequestsMock,
    adapter: ExchangeAdapter,
    pauses: Pauses,
    status: int,
    detail: str,
) -> None:
    service.post(f"{URL}/order", status=status, json={"detail": detail})
    with pytest.raises((OrderRefused, OutcomeUnknown)):
        order(adapter)
    assert pauses.bans == []


def test_banned_account_is_read_for_an_exit_alone(
    service: responses.RequestsMock, adapter: ExchangeAdapter, pauses: Pauses
) -> None:
    service.get(f"{URL}/market/ticker", json=TICKER)
    pauses.banned_for = 3600.0
    with pytest.raises(Banned, match="banned by the exchange for another 3600 s"):
        adapter.ticker("BTC/USDT")
    with adapter.calls_for(Purpose.ENTRY), pytest.raises(Banned):
        adapter.ticker("BTC/USDT")
    assert len(service.calls) == 0
    with adapter.calls_for(Purpose.EXIT):
        with adapter.calls_for(Purpose.ENTRY):
            assert adapter.ticker("BTC/USDT").price
        assert adapter.ticker("BTC/USDT").price
    with pytest.raises(Banned):
        adapter.ticker("BTC/USDT")
