"""The OpenAPI document: a validator accepts it, and it says what the application does."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from flask.testing import FlaskClient
from support.facts import HELD, bot, facts, ledger, running
from support.metrics_answer import answer as metrics_answer
from support.openapi import Description

from execsvc.control_plane.app import create_app
from execsvc.control_plane.documents import BotState
from execsvc.control_plane.openapi import document
from execsvc.errors import Unavailable
from execsvc.model.bot import InvalidRow
from execsvc.store.halted import Halted
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.listing.absence import Pending
from execsvc.supervisor.status.facts import Polled
from execsvc.supervisor.status.status import health, status

TOKEN = "s3cret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
KNOWN = facts(
    bot(owner=running(ticks=3, last_tick_at="2026-01-02T03:04:05.000Z")),
    bot(bot_id="b2", ledger=ledger(position=HELD, failing=True), error="no bid"),
    nameless=[InvalidRow(name="No id", reason="id is missing")],
    polled=Polled(5.0, 99.0, None, 2, "HTTP 500", Pending(6, 8, 1, 3)),
    halted=Halted(since="2026-01-02T03:04:05.000Z", reason="the exchange lies"),
)


class Supervisor:
    """Takes the place of ``ask``: the real documents, or silence."""

    silent = False

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.silent:
            raise Unavailable("nobody")
        page = {"status": status(KNOWN), "conditions": [], "events": []}
        answers = {"status": status(KNOWN), "health": health(KNOWN), "poll": {"accepted": True}}
        found: dict[str, Any] = {**answers, "page": page, "metrics": metrics_answer()}
        came: dict[str, Any] = json.loads(json.dumps(found[request["call"]]))
        return came


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor()


def judged(client: FlaskClient, described: Description, *wanted: int, **asked: Any) -> None:
    """Each route, asked once: what comes is described, and has one of the codes ``wanted``."""
    for path, method in described.routes:
        came = client.open(path, method=method, **asked)
        assert came.status_code in wanted, (path, came.status_code)
        described.judge(
            path, method, came.status_code, came.content_type, came.get_json(silent=True)
        )


@pytest.mark.parametrize("token", [None, TOKEN])
def test_openapi_document_describes_the_routes_of_the_application_and_no_others(
    supervisor: Supervisor, token: str | None
) -> None:
    app = create_app(supervisor, token)
    described = Description(app.test_client().get("/openapi.json", headers=BEARER).get_json())
    there = {
        (rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods or ()
    }
    assert described.routes == {(path, method) for path, method in there if method != "HEAD"}
    assert described.document == document(guarded=token is not None)


def test_openapi_document_names_version_and_each_operation_once() -> None:
    found = document(guarded=False)
    assert (found["openapi"], found["info"]["version"]) == ("3.1.0", "0.1.0")
    names = [
        operation["operationId"] for path in found["paths"].values() for operation in path.values()
    ]
    assert len(set(names)) == len(names) == len(found["paths"])


def test_openapi_every_answer_is_described(supervisor: Supervisor) -> None:
    client = create_app(supervisor, None).test_client()
    described = Description(document(guarded=False))
    judged(client, described, 200, 202)
    supervisor.silent = True
    judged(client, described, 200, 503)


def test_openapi_with_a_token_says_who_wants_it_as_the_routes_do(supervisor: Supervisor) -> None:
    client = create_app(supervisor, TOKEN).test_client()
    described = Description(document(guarded=True))
    judged(client, described, 200, 202, headers=BEARER)
    for path, method in described.routes:
        security = described.operation(path, method)["security"]
        came = client.open(path, method=method)
        assert (came.status_code == 401) == bool(security), path
        described.judge(
            path, method, came.status_code, came.content_type, came.get_json(silent=True)
        )
        by_password = client.open(path, method=method, auth=("anybody", TOKEN))
        assert (by_password.status_code == 401) == (
            bool(security) and {"password": []} not in security
        )
    assert client.get("/openapi.json").get_json() == {"error": "a bearer token is required"}


def test_openapi_without_a_token_wants_nothing() -> None:
    found = document(guarded=False)
    assert "securitySchemes" not in found["components"]
    assert not any(op["security"] for path in found["paths"].values() for op in path.values())


@pytest.mark.parametrize(("path", "method"), [("/status", "POST"), ("/poll", "GET")])
def test_openapi_errors_of_the_application_are_described(
    supervisor: Supervisor, path: str, method: str
) -> None:
    came = create_app(supervisor, None).test_client().open(path, method=method)
    described = Description(document(guarded=False))
    described.fits({"$ref": "#/components/schemas/Error"}, came.get_json())


def test_openapi_states_of_a_bot_are_those_of_the_supervisor() -> None:
    assert set(get_args(BotState)) == {state.value for state in State}


@pytest.mark.parametrize(
    "change", [{"state": "SLEEPING"}, {"more": 1}, {"last_tick_at": "yesterday"}, {"ticks": None}]
)
def test_description_of_a_document_that_has_drifted_is_a_fault(change: dict[str, Any]) -> None:
    drifted = json.loads(json.dumps(status(KNOWN)))
    drifted["bots"][0] |= change
    described = Description(document(guarded=False))
    with pytest.raises(AssertionError, match="bots"):
        described.judge("/status", "GET", 200, "application/json", drifted)
