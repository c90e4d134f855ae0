"""The page for people, asked directly."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.page_facts import FLAT, HELD, Service, Table, bot, known

from execsvc.control_plane.app import create_app
from execsvc.errors import Unavailable

TOKEN = "s3cret"
DIGEST = f'Digest password="{TOKEN}"'
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{'ab'*3}}\x00\ud800"


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def client(service: Service) -> FlaskClient:
    return create_app(service, None).test_client()


def rows(client: FlaskClient, path: str = "/") -> list[str]:
    answer = client.get(path)
    assert answer.status_code == 200
    return Table(answer.text).rows


def test_a_bot_with_all_that_can_be_said_of_it(client: FlaskClient, service: Service) -> None:
    service.answer = known(
        bot(
            position=HELD,
            restarts=2,
            last_error="HTTP 500",
            result={"currency": "USDT", "realised": "-1.25", "today": "0.5"},
            guards=[{"guard": "daily_loss", "since": "x", "detail": "lost 60 of 50 USDT"}],
        )
    )
    (row,) = rows(client)
    for words in (
        "My bot b1",
        "BTC/USDT k1, LIVE",
        "RUNNING",
        "2 restarts",
        "0.01998 BTC at 50000.25 since",
        "HTTP 500",
        "\N{MINUS SIGN}1.25 USDT today +0.5",
        "daily_loss: lost 60 of 50 USDT",
        "31 ticks, pid 4250",
        "ago",
    ):
        assert words in row, words


@pytest.mark.parametrize(
    ("realised", "today", "words"),
    [("1.5", "0", "+1.5 USDT today 0"), (None, None, "unknown USDT today unknown")],
)
def test_results(
    client: FlaskClient, service: Service, realised: str | None, today: str | None, words: str
) -> None:
    result = {"currency": "USDT", "realised": realised, "today": today}
    service.answer = known(bot(result=result))
    assert words in rows(client)[0]


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (FLAT, "flat"),
        ({**FLAT, "tracked": "0.000001"}, "dust 0.000001 BTC"),
        ({**HELD, "side": "SELL", "sold_short": "0.5", "tracked": "0"}, "sold 0.5 BTC at 50000.25"),
    ],
)
def test_positions(
    client: FlaskClient, service: Service, position: dict[str, Any], words: str
) -> None:
    service.answer = known(bot(position=position))
    assert words in rows(client)[0]


def test_faults_are_at_the_top_and_their_bot_first(client: FlaskClient, service: Service) -> None:
    bots = [bot(bot_id=f"b{n}", name=f"bot {n}") for n in range(3)]
    bots.append(bot(bot_id="bad", name="z", state="FAILED"))
    wrong = {"bot_id": "bad", "severity": "critical", "text": "z (bad): FAILED: no disk"}
    mild = {"bot_id": "", "severity": "warning", "text": "no good listing"}
    service.answer = known(*bots, conditions=[mild, wrong])
    text = client.get("/").text
    assert re.findall(r'<li class="(\w+)">', text) == ["critical", "warning"]
    assert "z (bad): FAILED: no disk" in text
    assert "<title>2 wrong · execsvc</title>" in text
    assert "Nothing is wrong" not in text
    assert rows(client)[0].startswith("z bad")


def test_page_without_faults(client: FlaskClient) -> None:
    assert "Nothing is wrong." in client.get("/").text


def test_very_much_that_is_wrong_is_counted(client: FlaskClient, service: Service) -> None:
    many = [{"bot_id": f"b{n}", "severity": "critical", "text": "no"} for n in range(1000)]
    service.answer = known(bot(), conditions=many)
    text = client.get("/").text
    assert text.count('<li class="critical">no</li>') == 20
    assert "and 980 more" in text


def test_it_can_be_narrowed_down(client: FlaskClient, service: Service) -> None:
    service.answer = known(
        bot(bot_id="one", name="First"),
        bot(bot_id="two", name="Second", symbol="ETH/USDT"),
        bot(bot_id="three", name="Third", state="FAILED", symbol=None, key_id=None, strategy=None),
    )
    assert len(rows(client)) == 3
    assert [row.split()[0] for row in rows(client, "/?state=FAILED")] == ["Third"]
    assert [row.split()[0] for row in rows(client, "/?q=eth")] == ["Second"]
    assert rows(client, "/?q=nothing+like+it") == ["No bot matches."]
    text = client.get("/?state=FAILED&q=%22%3E%3Cb%3E").text
    assert "<b>" not in re.sub(r"<b>\d+</b>", "", text)
    assert 'href="/?state=FAILED&amp;q=%22%3E%3Cb%3E"' in text
    service.answer = known()
    assert rows(client) == ["BotService lists no bots."]


def test_everything_from_outside_is_text(client: FlaskClient, service: Service) -> None:
    hostile = bot(name=HOSTILE, bot_id="x" + HOSTILE, strategy=HOSTILE, key_id=HOSTILE)
    hostile |= {"symbol": HOSTILE, "last_error": HOSTILE, "mode": HOSTILE}
    event = {"at": "2026-01-02T03:04:05.000Z", "level": "ERROR", "event": "x", "bot_id": HOSTILE}
    service.answer = known(
        hostile,
        conditions=[{"bot_id": "b1", "severity": "critical", "text": HOSTILE}],
        events=[{**event, "text": HOSTILE}],
    )
    answer = client.get("/")
    assert answer.status_code == 200
    text = answer.get_data().decode("utf-8", "replace")
    assert text.count("<script") == 1
    assert "<img" not in text
    assert "ababab" not in text


def test_nothing_but_itself_may_be_loaded(client: FlaskClient) -> None:
    one, other = client.get("/"), client.get("/")
    policy = one.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    nonce = re.findall(r"script-src 'nonce-([\w-]+)'", policy)[0]
    assert one.text.count(f'nonce="{nonce}"') == 2
    assert nonce not in other.headers["Content-Security-Policy"]
    assert re.findall(r'(?:src|href)="(?!/|data:,)([^"]*)"', one.text) == []
    assert "url(" not in one.text
    assert " style=" not in one.text
    assert one.headers["Cache-Control"] == "no-store"
    assert one.mimetype == "text/html"


def test_without_scripts_it_loads_itself_again(client: FlaskClient) -> None:
    refresh = '<noscript><meta http-equiv="refresh" content="10"></noscript>'
    assert refresh in client.get("/").text


def test_a_silent_supervisor_is_reported_in_html(client: FlaskClient, service: Service) -> None:
    service.answer = Unavailable("no answer at /run/secret-place")
    answer = client.get("/")
    assert answer.status_code == 503
    assert "The supervisor does not answer." in answer.text
    assert "secret-place" not in answer.text


def test_a_stopping_service_is_shown_as_such(client: FlaskClient, service: Service) -> None:
    service.answer = known(bot(state="STOPPING"))
    service.answer["status"]["state"] = "STOPPING"
    assert '<span class="badge busy">STOPPING</span>' in client.get("/").text


def test_a_thousand_bots_are_one_page(client: FlaskClient, service: Service) -> None:
    service.answer = known(*[bot(bot_id=f"b{n}", name=f"bot {n}") for n in range(1000)])
    answer = client.get("/")
    assert len(Table(answer.text).rows) == 1000
    assert len(answer.data) < 1_500_000
    assert 'data-every="5"' in answer.text


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_with_a_token_a_browser_asks_for_it(service: Service) -> None:
    guarded = create_app(service, TOKEN).test_client()
    answer = guarded.get("/")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert set(answer.get_json()) == {"error"}
    for given in (
        basic("", "no"),
        basic(TOKEN, ""),
        "Basic",
        f"Basic {TOKEN}",
        "Bearer no",
        DIGEST,
    ):
        assert guarded.get("/", headers={"Authorization": given}).status_code == 401
    assert service.asked == []
    for given in (basic("", TOKEN), basic("me", TOKEN), f"Bearer {TOKEN}"):
        assert guarded.get("/", headers={"Authorization": given}).status_code == 200
    for path in ("/status", "/nothing"):
        refused = guarded.get(path, headers={"Authorization": basic("me", TOKEN)})
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "DELETE"])
def test_a_wrong_method_is_refused_in_json(client: FlaskClient, method: str) -> None:
    answer = client.open("/", method=method)
    assert (answer.status_code, answer.get_json()) == (405, {"error": "method not allowed"})
