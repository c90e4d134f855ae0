"""The reasons why a bot has not ended flat."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from support.facts import bot_process, changed

from execsvc.model.bot import Binding, BotSpec, Mode
from execsvc.model.position import Position
from execsvc.runner.job import Task
from execsvc.runner.report import Snapshot
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_process import BotProcess
from execsvc.supervisor.bots.bot_records import Hold, PendingSignalDecision
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.status.bot_view import last_error
from execsvc.supervisor.status.unfinished import unfinished

BINDING = Binding(mode=Mode.LIVE, key_id="k1", symbol="BTC/USDT", strategy="test_trading_v1")
ROW = BotSpec(bot_id="b1", name="My bot", binding=BINDING, params={})


def bot(**changes: Any) -> Bot:
    return changed(Bot("b1"), **{"row": ROW, "listed": Listed.VALID, **changes})


def running(**report: Any) -> BotProcess:
    return bot_process(row=ROW, snapshot=Snapshot(**report))


def ledger(tracked: str = "0", **changes: Any) -> LedgerState:
    known: dict[str, Any] = {
        "bot_id": "b1",
        "binding": BINDING,
        "position": Position(tracked=Decimal(tracked)),
        "unsettled": False,
        "contested": 0,
        "failing": False,
    }
    return LedgerState(**{**known, **changes})


@pytest.mark.parametrize(
    "ended",
    [
        bot(),
        bot(state=State.HELD, hold=Hold(State.HELD, "x"), ledger=ledger()),
        bot(state=State.FAILED, hold=Hold(State.FAILED, "x"), ledger=ledger()),
    ],
)
def test_who_has_ended_flat_is_finished(ended: Bot) -> None:
    assert unfinished(ended) is None


@pytest.mark.parametrize(
    ("seen", "why", "going_on"),
    [
        (bot(owner=running(phase="STOPPING")), "its process has not ended yet", True),
        (bot(queued=Task.LIQUIDATE), "its process has not ended yet", True),
        (
            bot(pending=PendingSignalDecision(1, 1, False, 1)),
            "its process has not ended yet",
            True,
        ),
        (bot(state=State.LIQUIDATING, ledger=ledger("0.5")), "its position is open", True),
        (bot(state=State.HELD, ledger=ledger("0.5")), "its position is open", False),
        (bot(ledger=ledger(unsettled=True)), "its position is open", False),
        (
            bot(state=State.LIQUIDATING, ledger=ledger("0.5", failing=True), error="no bid"),
            "a liquidation failed and is tried again: no bid",
            True,
        ),
        (bot(ledger=ledger(contested=2)), "2 contested, see execsvc settle", False),
        (bot(unreadable="b1.db is damaged"), "its position is unknown: b1.db is damaged", False),
    ],
)
def test_why_one_is_not(seen: Bot, why: str, going_on: bool) -> None:
    found = unfinished(seen)
    assert found is not None
    assert (found["why"], found["going_on"]) == (why, going_on)


def test_the_whole_document() -> None:
    assert unfinished(bot(state=State.LIQUIDATING, ledger=ledger("0.50"))) == {
        "bot_id": "b1",
        "name": "My bot",
        "state": "LIQUIDATING",
        "symbol": "BTC/USDT",
        "tracked": "0.5",
        "why": "its position is open",
        "going_on": True,
    }
    stand_in = changed(Bot("lost-1"), unreadable="damaged")
    unknown = unfinished(stand_in)
    assert unknown is not None
    assert (unknown["name"], unknown["symbol"], unknown["tracked"]) == (None, None, None)


def test_why_it_is_not_sold_is_told_beside_who_ended_it() -> None:
    held = Hold(State.HELD, "stopped by an operator")
    left = bot(hold=held, error="disk is full", ledger=ledger("0.5", failing=True))
    assert last_error(left) == "stopped by an operator; disk is full"
    assert last_error(changed(left, ledger=ledger())) == "stopped by an operator"
