"""The OpenAPI document of the real program, and the program's own answers judged by it."""

from __future__ import annotations

from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.openapi import Description

TOKEN = "open-sesame-4711"


def judge_all(daemon: Daemon, described: Description, headers: dict[str, str]) -> None:
    """Ask each route, and one that is none."""
    for path, method in sorted(described.routes):
        came = (daemon.get if method == "GET" else daemon.post)(path, headers=headers)
        kind = came.headers["Content-Type"]
        body: Any = came.json() if kind.startswith("application/json") else None
        assert came.status_code in (200, 202), (path, came.text)
        described.judge(path, method, came.status_code, kind, body)
    judged = daemon.get("/status?diagnostics=1", headers=headers)
    described.judge("/status", "GET", 200, judged.headers["Content-Type"], judged.json())
    error = {"$ref": "#/components/schemas/Error"}
    for answer in (daemon.post("/status", headers=headers), daemon.get("/no", headers=headers)):
        described.fits(error, answer.json())


@pytest.mark.usefixtures("listing_only")
def test_openapi_document_describes_what_the_program_answers(
    daemon: Daemon, exchange: Exchange
) -> None:
    failing = bot_row("b2", strategy="nobody_knows_it")
    invalid = bot_row("b3", symbol="BTCUSDT")
    paper = bot_row("b4", mode="PAPER")
    exchange.list_bots(bot_row("b1"), failing, invalid, paper, {**bot_row("b5"), "id": ""})
    daemon.start(wait=False, EXECSVC_HTTP_TOKEN=TOKEN, EXECSVC_REPORT_LEDGER="true")
    eventually(lambda: daemon.port, "it listens")
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert daemon.get("/openapi.json").status_code == 401
    described = Description(daemon.get("/openapi.json", headers=right).json())

    def bots() -> dict[str, Any]:
        found = daemon.get("/status", headers=right).json()["bots"]
        return {bot["bot_id"]: bot for bot in found}

    def settled() -> bool:
        seen = {bot_id: bot["state"] for bot_id, bot in bots().items()}
        wanted = {"b1": "RUNNING", "b2": "FAILED", "b3": "INVALID", "b4": "RUNNING", "": "INVALID"}
        return seen == wanted and bots()["b1"]["position"]["side"] == "BUY"

    eventually(settled, "every bot is where it belongs")
    judge_all(daemon, described, right)
    assert daemon.command("halt", "--reason", "tried").returncode == 0
    judge_all(daemon, described, right)
    assert daemon.command("resume").returncode == 0
    assert daemon.stop() == 0
