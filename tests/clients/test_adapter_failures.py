"""An order that failed: definitely not executed, or unknown."""

from __future__ import annotations

import socket
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses
from support.adapter_samples import (
    URL,
    Pauses,
    answer,
    order,
)
from support.wire_server import http

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.exchange_words import meaning
from execsvc.clients.http import HttpClient
from execsvc.errors import OrderRefused, OutcomeUnknown
from execsvc.model.order import Side
from execsvc.model.refusal import Refusal


@pytest.mark.parametrize(
    ("status", "detail", "refusal"),
    [
        (400, "bad", None),
        (401, "who", None),
        (403, None, None),
        (404, "bad", None),
        (422, [{"loc": ["amount"], "msg": "field required"}], None),
        (422, [{"msg": "precision of amount"}], Refusal.STEP),
        (500, "Account has Insufficient Balance for requested action.", Refusal.BALANCE),
        (500, "binance Filter failure: LOT_SIZE", Refusal.SIZE),
        (500, "Filter failure: MARKET_LOT_SIZE", Refusal.SIZE),
        (500, "Filter failure: NOTIONAL", Refusal.WORTH),
        (500, "Filter failure: MIN_NOTIONAL", Refusal.TOO_SMALL),
        (500, "Filter failure: PRICE_FILTER", Refusal.PRICE),
        (500, "ccxt.base.errors.InsufficientFunds: no", Refusal.BALANCE),
        (500, "InvalidOrder('must be greater than minimum amount precision')", Refusal.TOO_SMALL),
        (500, "InvalidOrder: no", None),
        (500, "BadSymbol: no", Refusal.SYMBOL),
        (500, "AuthenticationError", Refusal.KEY),
        (500, "PermissionDenied", Refusal.KEY),
        (400, "Filter failure: NOTIONAL", Refusal.WORTH),
        (400, "Precision is over the maximum", Refusal.STEP),
        (500, "x" * 800 + " Filter failure: LOT_SIZE", Refusal.SIZE),
    ],
)
def test_place_order_certain_refusal_raises_order_refused(
    service: responses.RequestsMock,
    adapter: ExchangeAdapter,
    status: int,
    detail: Any,
    refusal: Refusal | None,
) -> None:
    answer(service, status, {"detail": detail})
    with pytest.raises(OrderRefused) as raised:
        order(adapter)
    assert meaning(str(raised.value)) is refusal
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"detail": "kraken EOrder:Insufficient funds"}, Refusal.BALANCE),
        ({"code": -1111, "msg": "Precision is over the maximum"}, Refusal.STEP),
        ({"error": "InsufficientFunds"}, Refusal.BALANCE),
        ({"detail": None, "msg": "51121"}, Refusal.STEP),
        ("<html>InsufficientFunds</html>", None),
    ],
)
def test_unknown_outcome_keeps_the_words_of_the_answer(
    service: responses.RequestsMock, adapter: ExchangeAdapter, body: Any, refusal: Refusal | None
) -> None:
    answer(service, 500, body)
    with pytest.raises(OutcomeUnknown) as raised:
        order(adapter)
    assert meaning(str(raised.value)) is refusal


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"detail": "timed out"}),
        (500, {"detail": "precision"}),
        (500, {"detail": "insufficient  balance of patience"}),
        (500, {"detail": "NOTIONALLY fine, InvalidOrderBook, PERCENT_PRICE_FILTER_X"}),
        (500, {"detail": "invalidorder"}),
        (500, {"detail": None}),
        (500, {"error": "InsufficientFunds"}),
        (500, "InsufficientFunds"),
        (500, ["InsufficientFunds"]),
        (500, ""),
        (501, {"detail": "InsufficientFunds"}),
        (502, {"detail": "InsufficientFunds"}),
        (503, {"detail": "InsufficientFunds"}),
        (504, "<html>"),
        (408, {"detail": "x"}),
        (409, {"detail": "InvalidOrder"}),
        (425, {"detail": "x"}),
        (301, ""),
        (307, {"detail": "InvalidOrder"}),
    ],
)
def test_place_order_uncertain_failure_raises_outcome_unknown(
    service: responses.RequestsMock, adapter: ExchangeAdapter, status: int, body: Any
) -> None:
    answer(service, status, body, Location=f"{URL}/elsewhere")
    with pytest.raises(OutcomeUnknown) as raised:
        order(adapter)
    assert raised.value.filled_at_least == "0"
    assert len(service.calls) == 1


def test_place_order_unclassified_library_error_is_unknown(
    service: responses.RequestsMock, adapter: ExchangeAdapter
) -> None:
    service.add("POST", f"{URL}/order", body=requests.ConnectionError("reset"))
    with pytest.raises(OutcomeUnknown, match="POST /order: reset"):
        order(adapter)


@pytest.mark.parametrize(
    "ending",
    [
        lambda connection: connection.close(),
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le"),
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
        lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\nContent-Length: 99\r\n\r\n{"),
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (9 << 20)),
        lambda connection: connection.sendall(http("200 OK", b"x", Content_Encoding="gzip")),
        lambda connection: connection.sendall(http("302 Found", Location="/order")),
        lambda connection: connection.recv(1),
    ],
)
def test_broken_after_the_send_is_unknown_and_sent_once(
    serve: Callable[..., Any], pauses: Pauses, ending: Callable[[socket.socket], None]
) -> None:
    def script(connection: socket.socket, _: bytes) -> None:
        ending(connection)
        connection.close()

    server = serve(script)
    adapter = ExchangeAdapter(HttpClient(server.url, None, 5.0), "k", pauses)
    with pytest.raises(OutcomeUnknown):
        adapter.place_order("id", "A/B", Side.BUY, Decimal(1), 0.5)
    assert len(server.requests) == 1
    assert pauses.asked == []


def test_a_connection_never_made_is_refused(pauses: Pauses) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    adapter = ExchangeAdapter(HttpClient(f"http://127.0.0.1:{port}", None, 5.0), "k", pauses)
    with pytest.raises(OrderRefused, match="cannot connect"):
        adapter.place_order("id", "A/B", Side.BUY, Decimal(1), 30.0)
