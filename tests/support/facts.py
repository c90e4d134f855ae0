"""Facts of a supervisor, made by hand."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from execsvc.model.bot import Binding, BotSpec, Mode
from execsvc.model.position import Position
from execsvc.runner.job import Task
from execsvc.runner.report import Snapshot, shown
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.next_step import Listed, Service
from execsvc.supervisor.bots.run import Run
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
    own = {field.name for field in fields(Bot)}
    parts: dict[str, Any] = {name: changes.pop(name) for name in own & changes.keys()}
    for kind in own:
        record = getattr(before, kind)
        if is_dataclass(record) and not isinstance(record, type):
            known = {field.name for field in fields(record)} & changes.keys()
            parts[kind] = replace(record, **{name: changes.pop(name) for name in known})
    assert not changes, f"no record of a bot has {', '.join(changes)}"
    return replace(before, **parts)


def running(**report: Any) -> Run:
    snapshot = Snapshot(**{"phase": "RUNNING", "position": shown(HELD), **report})
    return run(snapshot=snapshot)


def run(pid: int = 4250, row: BotSpec | None = ROW, **known: Any) -> Run:
    """A process that trades."""
    beginning: dict[str, Any] = {"task": Task.TRADE, "began": 0.0, "heard_at": 0.0}
    return Run(pid=pid, spec=row, started_at=AT, **{**beginning, **known})


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
        "service": Service.RUNNING,
        "started_at": AT,
        "uptime": 12.3456,
        "polled": polled,
        "bots": list(bots),
        "nameless": [],
    }
    return Facts(**{**known, **changes})
