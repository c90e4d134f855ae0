"""The clients of the two services: each has its own URL and its own token, or none."""

from __future__ import annotations

import pytest
from support.settings import settings
from support.wire_server import Serve, http

from execsvc.clients.service_http import adapter_http, bot_service_http

TOKENS = {"bot_service_token": "bots", "exchange_adapter_token": "exchange"}


@pytest.mark.parametrize("tokens", [TOKENS, {}])
def test_client_of_a_service_sends_the_token_of_that_service(
    serve: Serve, tokens: dict[str, str]
) -> None:
    bots, exchange = serve(http("200 OK", b"{}")), serve(http("200 OK", b"{}"))
    made = settings(bot_service_url=bots.url, exchange_adapter_url=exchange.url, **tokens)
    bot_service_http(made).get("GET /x", "/x", {})
    adapter_http(made).get("GET /x", "/x", {})
    for server, name in ((bots, "bot_service_token"), (exchange, "exchange_adapter_token")):
        (request,) = server.requests
        token = tokens.get(name)
        sent = f"Authorization: Bearer {token}\r\n" if token else "Authorization"
        assert (sent.encode() in request) is (token is not None)


def test_client_of_a_service_calls_its_heartbeat_while_it_waits(serve: Serve) -> None:
    server = serve(http("200 OK", b"{}"))
    made = settings(bot_service_url=server.url, exchange_adapter_url=server.url)
    calls: list[bool] = []
    for client in (bot_service_http(made, calls.append), adapter_http(made, calls.append)):
        before = len(calls)
        client.get("GET /x", "/x", {})
        assert len(calls) > before
