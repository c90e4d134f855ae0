"""The Flask application, asked directly."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from loguru import logger

from execsvc.control_plane.app import create_app
from execsvc.errors import Unavailable

TOKEN = "s3cret"
STATUS: dict[str, Any] = {"service": "execution-service", "bots": [], "pid": 1}


class Supervisor:
    """Takes the place of ``ask``: records requests, answers or raises as a test says."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {
            "health": {"status": "ok", "service": "execution-service", "reasons": []},
            "status": STATUS,
            "poll": {"accepted": True},
        }

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        answer = self.answers[request["call"]]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, dict)
        return answer


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor()


@pytest.fixture
def client(supervisor: Supervisor) -> FlaskClient:
    return create_app(supervisor, None).test_client()


@pytest.fixture
def guarded(supervisor: Supervisor) -> FlaskClient:
    return create_app(supervisor, TOKEN).test_client()


@pytest.mark.parametrize(
    ("status", "code"), [("ok", 200), ("degraded", 200), ("stopping", 503), ("odd", 503)]
)
def test_health_has_its_code(
    client: FlaskClient, supervisor: Supervisor, status: str, code: int
) -> None:
    supervisor.answers["health"]["status"] = status
    answer = client.get("/health")
    assert (answer.status_code, answer.get_json()) == (code, supervisor.answers["health"])


def test_health_is_down_without_a_supervisor(client: FlaskClient, supervisor: Supervisor) -> None:
    supervisor.answers["health"] = Unavailable("no answer at /run/secret-place")
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.get_json() == {
        "status": "down",
        "service": "execution-service",
        "reasons": ["the supervisor does not answer"],
    }


def test_status_is_what_the_supervisor_says(client: FlaskClient) -> None:
    answer = client.get("/status")
    assert (answer.status_code, answer.get_json()) == (200, STATUS)
    assert list(answer.get_json()) == sorted(STATUS)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/status", "/poll"])
def test_a_silent_supervisor_is_503(client: FlaskClient, supervisor: Supervisor, path: str) -> None:
    supervisor.answers[path[1:]] = Unavailable("x")
    answer = client.open(path, method="POST" if path == "/poll" else "GET")
    assert answer.status_code == 503
    assert answer.get_json() == {"error": "the supervisor does not answer"}


def test_poll_is_accepted_without_a_body(client: FlaskClient, supervisor: Supervisor) -> None:
    answer = client.post("/poll")
    assert (answer.status_code, answer.get_json()) == (202, {"accepted": True})
    assert supervisor.asked == [{"call": "poll"}]


def test_poll_ignores_a_body(client: FlaskClient) -> None:
    assert client.post("/poll", data=b"\xff{").status_code == 202


@pytest.mark.parametrize("path", ["/nothing", "/status/", "/static/x", "/%2e%2e/etc", "//health"])
def test_anything_else_is_404(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.get_json()) == (404, {"error": "not found"})


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/status", "GET, HEAD"),
        ("GET", "/poll", "POST"),
        ("OPTIONS", "/status", "GET, HEAD"),
        ("TRACE", "/poll", "POST"),
    ],
)
def test_a_wrong_method_is_405(client: FlaskClient, method: str, path: str, allowed: str) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.get_json()) == (405, {"error": "method not allowed"})
    assert answer.headers["Allow"] == allowed


def test_head_has_no_body(client: FlaskClient) -> None:
    answer = client.head("/health")
    assert (answer.status_code, answer.data) == (200, b"")


@pytest.mark.says("request_failed")
def test_our_own_fault_is_500_and_the_traceback_is_for_the_log(
    client: FlaskClient, supervisor: Supervisor
) -> None:
    supervisor.answers["status"] = RuntimeError("password")
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}")
    try:
        answer = client.get("/status")
    finally:
        logger.remove(sink)
    assert (answer.status_code, answer.get_json()) == (500, {"error": "internal server error"})
    assert any("RuntimeError" in line for line in lines)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        TOKEN,
        "Bearer \xe9",
    ],
)
@pytest.mark.parametrize("path", ["/status", "/nothing"])
def test_without_the_token_nothing_is_given_away(
    guarded: FlaskClient, supervisor: Supervisor, header: str | None, path: str
) -> None:
    answer = guarded.get(path, headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.get_json()) == (401, {"error": "a bearer token is required"})
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert supervisor.asked == []


def test_poll_wants_the_token(guarded: FlaskClient, supervisor: Supervisor) -> None:
    assert guarded.post("/poll").status_code == 401
    assert supervisor.asked == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_with_the_token_everything_is_answered(guarded: FlaskClient, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {TOKEN}"}
    assert guarded.get("/status", headers=headers).status_code == 200
    assert guarded.post("/poll", headers=headers).status_code == 202
    assert guarded.get("/nothing", headers=headers).status_code == 404


def test_health_wants_no_token(guarded: FlaskClient) -> None:
    assert guarded.get("/health").status_code == 200
