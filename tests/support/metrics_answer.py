"""The answer of a supervisor to the call ``metrics``, made by its own code."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from support.facts import bot_process, changed

from execsvc.model.bot import Binding, BotSpec, Mode
from execsvc.runner.counts import NOTHING
from execsvc.runner.report import Snapshot
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.next_step import Listed, ServiceMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.bots.totals import Totals
from execsvc.supervisor.listing.absence import Pending
from execsvc.supervisor.processes.loop_clock import LoopClock
from execsvc.supervisor.status.facts import Facts, Polled
from execsvc.supervisor.status.metrics import metrics

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
BINDING = Binding(mode=Mode.LIVE, key_id="k1", symbol="BTC/USDT", strategy="test_trading_v1")
HOLDS = {
    "side": "BUY",
    "tracked": "0.02",
    "sold_short": "0",
    "entry_price": "50000",
    "opened_at": "2026-01-02T03:04:05.000Z",
}


def bot(bot_id: str = "b1", name: str = "My bot", **report: Any) -> Bot:
    """A bot that runs and holds, unless ``report`` says otherwise."""
    row = BotSpec(bot_id=bot_id, name=name, binding=BINDING, params={})
    snapshot = Snapshot(
        **{
            "phase": "RUNNING",
            "position": HOLDS,
            "last_tick_at": "2026-01-02T03:04:05.500Z",
            **report,
        }
    )
    trades = bot_process(row=row, snapshot=snapshot)
    return changed(Bot(bot_id), row=row, listed=Listed.VALID, state=State.RUNNING, owner=trades)


def answer(
    *bots: Bot, totals: Totals | None = None, clock: LoopClock | None = None, **changes: Any
) -> dict[str, Any]:
    """The answer as it comes over the socket."""
    known: dict[str, Any] = {
        "pid": 1,
        "service": ServiceMode.RUNNING,
        "started_at": AT,
        "uptime": 1.0,
        "polled": Polled(5.0, 1.5, AT, 0, None, None),
        "bots": list(bots),
        "nameless": [],
    }
    facts = Facts(**{**known, **changes})
    document = metrics(facts, totals or Totals(), clock or LoopClock())
    came: dict[str, Any] = json.loads(json.dumps(document))
    return came


def held_back(bots: int) -> Polled:
    """A poll in which so many bots are missing."""
    return Polled(5.0, 20.0, None, 3, "x", Pending(bots, 8, 1, 3))


def counted(numbers: dict[int, int]) -> Totals:
    """Sums with these numbers at these places."""
    totals = Totals()
    totals.numbers = tuple(numbers.get(n, 0) for n in range(len(NOTHING)))
    return totals
