"""Any answer whatsoever: a stated fill, or one of our own errors, and text that can be kept."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.adapter_samples import BALANCE, DEPTH, DETAILS, TICKER, TRADES, Pauses
from support.wire_server import WireServer, http

from execsvc.clients.bot_service import BotService
from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient
from execsvc.errors import OrderRefused, OutcomeUnknown, Unavailable
from execsvc.model.order import Side

TOKEN = "hush-hush-token"
ROW = {
    "id": "b1",
    "name": "n",
    "status": "RUNNING",
    "global_settings": {"exchange": "k", "symbol": "BTC/USDT", "account_allocation": "1"},
    "pipeline": {"strategy": {"id": "s", "params": {"a": 0.1}}, "triggers": {"interval_sec": 5}},
}
ORDER = {"status": "filled", "order_id": "1", "details": DETAILS}
AMOUNT = Decimal("0.00016")
ANY = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -(10**25), Decimal("1e-18"), 0, -0.0, True, 1e308, 5e-324]),
)
texts = st.one_of(
    st.text(),
    st.sampled_from(
        ["NaN", "Infinity", "-1", "0", "1e400", "1_0", "٣", "\ud800", TOKEN, "closed", "BTC", ""]
    ),
)
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every member of ``value``."""
    yield path
    if isinstance(value, dict):
        for name, member in value.items():
            yield from places(member, (*path, name))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from places(member, (*path, number))


def with_member(value: Any, path: tuple[Any, ...], member: Any) -> Any:
    """A copy of ``value`` with another member at ``path``."""
    if not path:
        return member
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_member(copy[path[0]], path[1:], member)
    return copy


@st.composite
def bent(draw: st.DrawFn, right: Any) -> bytes:
    """A right answer with one or two members that are something else."""
    for _ in range(draw(st.integers(1, 2))):
        right = with_member(right, draw(st.sampled_from(list(places(right)))), draw(values))
    return json.dumps(right, default=str).encode()


@st.composite
def torn(draw: st.DrawFn, right: Any) -> bytes:
    """A whole HTTP answer with bytes cut out, put in or changed."""
    whole = http(
        draw(st.sampled_from(["200 OK", "500 No", "429 Slow", "204 None", "100 Go"])),
        json.dumps(right).encode(),
    )
    at = draw(st.integers(0, len(whole)))
    to = draw(st.integers(at, len(whole)))
    return whole[:at] + draw(st.binary(max_size=20)) + whole[to:]


class Scripted:
    """A server that gives the bytes of the moment, and all calls that may be made of it."""

    def __init__(self) -> None:
        self.wire = b""
        self._server = WireServer(self._give)
        url, self.pauses = self._server.url, Pauses()
        self.adapter = ExchangeAdapter(HttpClient(url, TOKEN, 5.0), "k", self.pauses)
        self.service = BotService(HttpClient(url, TOKEN, 5.0), 100)
        self.stop = self._server.stop

    def order(self) -> None:
        """A fill that is returned was stated, within what was ordered."""
        fill = self.adapter.place_order("id-1", "BTC/USDT", Side.BUY, AMOUNT, 5.0)
        assert 0 <= fill.filled <= AMOUNT
        assert fill.base_fee is None or 0 <= fill.base_fee <= fill.filled
        if fill.exchange_id is not None:
            assert len(fill.exchange_id.encode()) <= 400

    def calls(self) -> dict[str, Callable[[], object]]:
        """Every call, by name."""
        return {
            "balance": self.adapter.balance,
            "ticker": lambda: self.adapter.ticker("BTC/USDT"),
            "depth": lambda: self.adapter.depth("BTC/USDT", 5),
            "trades": lambda: self.adapter.trades("BTC/USDT", 5),
            "order": self.order,
            "find": lambda: self.adapter.find_order("id-1", "BTC/USDT", Side.BUY, AMOUNT),
            "bots": lambda: self.service.listing().model_dump_json(),
        }

    def _give(self, connection: socket.socket, _: bytes) -> None:
        connection.sendall(self.wire)
        connection.close()


@pytest.fixture(scope="module")
def scripted() -> Iterator[Scripted]:
    made = Scripted()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("execsvc.clients.http.READ_ATTEMPTS", 1)  # each would be taken alike
        yield made
    made.stop()


RIGHT: dict[str, Any] = {
    "balance": BALANCE,
    "ticker": TICKER,
    "depth": DEPTH,
    "trades": TRADES,
    "order": ORDER,
    "find": {**DETAILS, "clientOrderId": "id-1"},
    "bots": [ROW],
}
EXPECTED: dict[str, tuple[type[Exception], ...]] = {
    "order": (OrderRefused, OutcomeUnknown),
    "find": (Unavailable, OutcomeUnknown),
}


def taken(scripted: Scripted, call: str, wire: bytes) -> None:
    """The call ends well, or in an error of ours whose text can be kept and gives nothing away."""
    scripted.wire = wire
    try:
        scripted.calls()[call]()
    except EXPECTED.get(call, (Unavailable,)) as error:
        text = str(error)
        text.encode()
        assert TOKEN not in text
        assert len(text) < 500


@pytest.mark.parametrize("call", RIGHT)
@ANY
@given(data=st.data())
def test_any_change_of_the_json_is_a_fill_or_an_error(
    scripted: Scripted, call: str, data: st.DataObject
) -> None:
    body = data.draw(bent(RIGHT[call]))
    status = data.draw(st.sampled_from(["200 OK", "200 OK", "200 OK", "500 No", "400 No"]))
    taken(scripted, call, http(status, body))


@pytest.mark.parametrize("call", RIGHT)
@ANY
@given(data=st.data())
def test_any_cut_of_the_http_answer_is_an_error(
    scripted: Scripted, call: str, data: st.DataObject
) -> None:
    taken(scripted, call, data.draw(st.one_of(torn(RIGHT[call]), st.binary(max_size=200))))


@pytest.mark.parametrize("call", RIGHT)
@pytest.mark.parametrize(
    "detail", ['"\\ud800"', f'"Bearer {TOKEN}"', "[" * 950 + "]" * 950, '{"a": 1e99}', "null"]
)
@pytest.mark.parametrize("status", ["400 No", "401 No", "500 No", "503 Busy", "999 What"])
def test_any_detail_of_an_error_is_an_error(
    scripted: Scripted, call: str, detail: str, status: str
) -> None:
    taken(scripted, call, http(status, f'{{"detail": {detail}}}'.encode()))


@pytest.mark.parametrize("member", ["id", "status", "symbol", "side", "clientOrderId"])
def test_token_echoed_in_an_order_is_masked(scripted: Scripted, member: str) -> None:
    wrong = {**DETAILS, "status": "open", member: f"Bearer {TOKEN}"}
    taken(scripted, "order", http("200 OK", json.dumps({"details": wrong}).encode()))


def test_token_echoed_as_symbol_of_a_ticker_is_masked(scripted: Scripted) -> None:
    wrong = {**TICKER, "symbol": f"Bearer {TOKEN}"}
    taken(scripted, "ticker", http("200 OK", json.dumps(wrong).encode()))


@pytest.mark.parametrize(
    "members",
    [
        {"amount": 5},
        {"filled": "NaN"},
        {"filled": 1e-400, "status": "open"},
        {"average": "NaN"},
        {"average": -1},
        {"cost": "Infinity"},
        {"fees": [{"currency": "BTC", "cost": "NaN"}]},
        {"fees": [{"currency": "BTC", "cost": "1e400"}]},
    ],
)
def test_order_answer_of_another_order_is_unknown(
    scripted: Scripted, members: dict[str, Any]
) -> None:
    scripted.wire = http("200 OK", json.dumps({"details": {**DETAILS, **members}}).encode())
    with pytest.raises(OutcomeUnknown):
        scripted.order()


@pytest.mark.parametrize(
    ("fees", "base_fee"),
    [
        ([{"currency": "btc", "cost": 1e-6}], "0.000001"),
        ([{"currency": "BNB", "cost": 1}, {"currency": None, "cost": 1e-6}], None),
        ([{"currency": "BTC", "cost": 1}], None),
    ],
)
def test_a_fee_that_is_in_doubt_is_no_fee_of_zero(
    scripted: Scripted, fees: list[dict[str, Any]], base_fee: str | None
) -> None:
    scripted.wire = http("200 OK", json.dumps({"details": {**DETAILS, "fees": fees}}).encode())
    fill = scripted.adapter.place_order("id-1", "BTC/USDT", Side.BUY, AMOUNT, 5.0)
    assert fill.base_fee == (None if base_fee is None else Decimal(base_fee))
