"""Facts of a supervisor, made by hand."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from execsvc.model.bot import Binding, BotSpec, Mode
from execsvc.model.position import Position
from execsvc.runner.job import Task
from execsvc.runner.report import Snapshot, shown
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_process import BotProcess
from execsvc.supervisor.bots.next_step import Listed, ServiceMode
from execsvc.supervisor.status.facts import Facts, Polled

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
BINDING = Binding(mode=Mode.LIVE, key_id="k1", symbol="BTC/USDT", strategy="test_trading_v1")
ROW = BotSpec(bot_id="b1", name="My bot", binding=BINDING, params={})
HELD = Position(
    tracked=Decimal("0.0199800"),
    sold_short=Decimal(0),
    entry_price=Decimal("50000.25"),
    opened_at=AT,
)


def bot(**changes: Any) -> Bot:
    return changed(Bot("b1"), **{"row": ROW, "listed": Listed.VALID, **changes})


def changed(before: Bot, **changes: Any) -> Bot:
    """``before`` with these facts, each in the record of the bot that has it."""
    parts: dict[str, Any] = {name: changes.pop(name) for name in Bot._fields if name in changes}
    for kind in ("desired", "processes", "known", "hold_record", "schedule"):
        record = getattr(before, kind)
        own = {name: changes.pop(name) for name in record._fields if name in changes}
        parts.setdefault(kind, record._replace(**own))
    assert not changes, f"no record of a bot has {', '.join(changes)}"
    return before._replace(**parts)


def running(**report: Any) -> BotProcess:
    snapshot = Snapshot(**{"phase": "RUNNING", "position": shown(HELD), **report})
    return bot_process(snapshot=snapshot)


def bot_process(pid: int = 4250, row: BotSpec | None = ROW, **known: Any) -> BotProcess:
    """A process that trades."""
    beginning: dict[str, Any] = {"task": Task.TRADE, "began": 0.0, "reported_at": 0.0}
    return BotProcess(pid=pid, spec=row, started_at=AT, **{**beginning, **known})


def ledger(**changes: Any) -> LedgerState:
    known: dict[str, Any] = {
        "bot_id": "b1",
        "binding": BINDING,
        "position": Position(),
        "unsettled": False,
        "contested": 0,
        "failing": False,
    }
    return LedgerState(**{**known, **changes})


def facts(*bots: Bot, **changes: Any) -> Facts:
    polled = Polled(5.0, 1.0, AT, 0, None, None)
    known: dict[str, Any] = {
        "pid": 4242,
        "service": ServiceMode.RUNNING,
        "started_at": AT,
        "uptime": 12.3456,
        "polled": polled,
        "bots": list(bots),
        "nameless": [],
    }
    return Facts(**{**known, **changes})
