"""The results of ``check`` and ``doctor`` by an adapter's own ``GET /health``."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support.command import Execsvc
from support.liar import Liar, liar
from support.wire_server import http

from execsvc.cli.demo import demo_bots
from execsvc.sandbox.server import Sandbox

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def adapter(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Liar]:
    """The sandbox behind a liar, which is the adapter; three bots are listed."""
    sandbox.state.bots.replace(demo_bots())
    for made in liar(sandbox.url):
        monkeypatch.setenv("EXECSVC_BOT_SERVICE_URL", sandbox.url)
        monkeypatch.setenv("EXECSVC_EXCHANGE_ADAPTER_URL", made.url)
        monkeypatch.setenv("EXECSVC_REQUEST_TIMEOUT", "60")  # seconds, for a busy machine
        yield made


def lines(execsvc: Execsvc) -> list[str]:
    """The lines of ``check`` about the adapter; the exit code is 0."""
    outcome = execsvc("check")
    assert outcome.code == 0, outcome.out
    return [" ".join(line.split()) for line in outcome.out.splitlines() if "127.0.0.1" in line][2:]


def said_by_doctor(execsvc: Execsvc) -> list[tuple[str, str]]:
    """Level and words of what ``doctor`` says of the adapter."""
    found = json.loads(execsvc("doctor", "--json").out)["findings"]
    return [(one["level"], one["what"]) for one in found if one["check"] == "adapter"]


@pytest.mark.parametrize(
    "status", ["404 Not Found", "405 Method Not Allowed", "501 Not Implemented"]
)
def test_check_adapter_without_health_asks_for_a_market(
    adapter: Liar, execsvc: Execsvc, status: str
) -> None:
    adapter.lie("health", http(status, b'{"detail": "no"}'), heard=False)
    (line,) = lines(execsvc)
    assert line.startswith(f"adapter {adapter.url}: BTC/USDT at")
    assert adapter.told["health", "*"] == 1
    assert not any("GET /health" in what for _, what in said_by_doctor(execsvc))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"status": "ok"}', "GET /health says ok"),
        (b'{"status": "Healthy", "service": "adapter"}', "GET /health says Healthy"),
        (b'{"status": true}', "GET /health says true"),
        (b"{}", "GET /health: HTTP 200"),
        (b"[1]", "GET /health: HTTP 200"),
        (b"all is well", "GET /health: HTTP 200"),
    ],
)
def test_check_healthy_adapter_reports_health_first(
    adapter: Liar, execsvc: Execsvc, body: bytes, words: str
) -> None:
    adapter.lie("health", http("200 OK", body), heard=False)
    first, second = lines(execsvc)
    assert first == f"adapter {adapter.url}: {words}"
    assert "BTC/USDT at" in second
    assert said_by_doctor(execsvc)[0] == ("ok", f"{adapter.url}: {words}")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            http("200 OK", b'{"status": "degraded", "exchange": "no answer for 60 s"}'),
            'GET /health says degraded: {"exchange": "no answer for 60 s"}',
        ),
        (http("200 OK", b'{"status": {"db": "down"}}'), 'GET /health says {"db": "down"}'),
        (http("200 OK", b'{"status": false}'), "GET /health says false"),
        (
            http("503 Service Unavailable", b'{"detail": "warming"}'),
            "GET /health: HTTP 503: warming",
        ),
        (http("401 Unauthorized", b'{"detail": "who?"}'), "GET /health: HTTP 401: who?"),
        (http("302 Found", b"", Location="/login"), "GET /health: HTTP 302: redirects are refused"),
        (b"nonsense\r\n\r\n", "GET /health: "),
    ],
)
def test_check_unhealthy_adapter_warns_and_asks_for_a_market(
    adapter: Liar, execsvc: Execsvc, answer: bytes, words: str
) -> None:
    adapter.lie("health", answer, heard=False)
    first, second = lines(execsvc)
    assert first.startswith(f"warning adapter {adapter.url}: {words}")
    assert "BTC/USDT at" in second
    level, what = said_by_doctor(execsvc)[0]
    assert level == "warning"
    assert what.startswith(f"{adapter.url}: {words}")


def test_check_unreachable_adapter_exits_69_with_one_line(adapter: Liar, execsvc: Execsvc) -> None:
    outcome = execsvc("check", "--exchange-adapter-url", NOBODY)
    assert outcome.code == 69
    (line,) = [line for line in outcome.out.splitlines() if NOBODY in line]
    assert "GET /health: cannot connect" in line
    found = json.loads(execsvc("doctor", "--json", "--exchange-adapter-url", NOBODY).out)
    assert found["exit_code"] == 69


def test_check_without_a_bot_asks_for_health_alone(
    adapter: Liar, sandbox: Sandbox, execsvc: Execsvc
) -> None:
    sandbox.state.bots.replace([])
    adapter.lie("health", http("200 OK", b'{"status": "ok"}'), heard=False)
    assert lines(execsvc) == [f"adapter {adapter.url}: GET /health says ok"]
