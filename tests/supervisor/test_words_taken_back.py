"""A word to BotService that is not true any more is taken back, whatever the row says."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from execsvc.clients.bot_service import Listing
from execsvc.settings import Switch
from execsvc.supervisor.bot import Bot, Verdict
from execsvc.supervisor.courier import Courier
from execsvc.supervisor.next_step import Listed
from execsvc.supervisor.restarts import Restarts
from execsvc.supervisor.states import State


class Child:
    """Takes what it is asked."""

    gone = False

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def ask(self, line: bytes) -> bool:
        self.asked.append(json.loads(line))
        return True

    def words(self) -> list[str | None]:
        return [asked.get("word") for asked in self.asked if "bot_id" in asked]


@pytest.mark.parametrize("status", ["BOOTING", "RUNNING"])
def test_stop_of_a_bot_that_is_let_go_on(status: str) -> None:
    bot = Bot("b1", Restarts(5, 300.0), state=State.FAILED, listed=Listed.VALID)
    bot.invalid_name = "My bot"
    bot.verdict, bot.ledger_known = Verdict(State.FAILED, "no"), True
    context: Any = SimpleNamespace(
        bots={"b1": bot},
        news=set(),
        halted=False,
        clock=SimpleNamespace(now=1.0),
        halt=SimpleNamespace(current=None),
        settings=SimpleNamespace(report_ledger=Switch.AUTO, bot_lifecycle=Switch.ON),
    )
    child = Child()
    courier = Courier(context, None, lambda bot_id, at: None)  # type: ignore[arg-type]
    courier._dialogue = child  # type: ignore[assignment]
    booting = ("b1",) if status == "BOOTING" else ()
    listing = Listing.model_construct(bots={"b1": None}, booting=booting)
    courier.listed(listing, listing)
    courier.pass_on()
    courier.pass_on()
    assert child.words() == ["stop"]
    (said,) = (asked for asked in child.asked if "word" in asked)
    assert said["name"] == "My bot"
    bot.verdict, bot.state = None, State.BOOTING  # an operator releases it
    courier.pass_on()
    courier.pass_on()
    assert child.words() == ["stop", None]
