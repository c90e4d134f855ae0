"""The documents of ``/status`` and ``/health``; their shape is a contract."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

from execsvc import __version__
from execsvc.clock import iso
from execsvc.runner.report import Snapshot
from execsvc.supervisor.bot import Bot
from execsvc.supervisor.guard import Pending
from execsvc.supervisor.next_step import Service
from execsvc.supervisor.states import State

SERVICE = "execution-service"
STALE_AFTER = 3
"""Poll intervals after which the last good listing is too old."""


class Polled(NamedTuple):
    """How the listing goes. ``age``: seconds since the last good one."""

    interval: float
    age: float
    last_success_at: datetime | None
    failures: int
    last_error: str | None
    pending: Pending | None


class Facts(NamedTuple):
    """What both documents are made of. ``uptime`` is in seconds."""

    pid: int
    service: Service
    started_at: datetime
    uptime: float
    polled: Polled
    bots: list[Bot]
    nameless: list[str]


def status(facts: Facts) -> dict[str, Any]:
    """The answer to ``GET /status``."""
    shown = [_bot(bot) for bot in facts.bots] + [_nameless(why) for why in facts.nameless]
    counts = Counter(bot["state"] for bot in shown)
    polled = facts.polled
    return {
        "service": SERVICE,
        "version": __version__,
        "pid": facts.pid,
        "state": "RUNNING" if facts.service is Service.RUNNING else "STOPPING",
        "started_at": iso(facts.started_at),
        "uptime_sec": round(facts.uptime, 3),
        "poll": {
            "interval_sec": polled.interval,
            "last_success_at": _time(polled.last_success_at),
            "consecutive_failures": polled.failures,
            "last_error": polled.last_error,
            "pending_mass_stop": polled.pending._asdict() if polled.pending else None,
        },
        "running_bots": counts[State.RUNNING.value],
        "counts": dict(sorted(counts.items())),
        "bots": shown,
    }


def health(facts: Facts) -> dict[str, Any]:
    """The answer to ``GET /health``; ``down`` is for whoever gets no answer from here."""
    reasons = list(_reasons(facts))
    state = "degraded" if reasons else "ok"
    if facts.service is not Service.RUNNING:
        state = "stopping"
    return {"status": state, "service": SERVICE, "reasons": reasons}


def _reasons(facts: Facts) -> list[str]:
    reasons = []
    polled = facts.polled
    if polled.age > STALE_AFTER * polled.interval:
        why = f": {polled.last_error}" if polled.last_error else ""
        reasons.append(f"no good listing for {polled.age:.0f} s{why}")
    for bot in facts.bots:
        if bot.state is State.FAILED or (bot.verdict and bot.verdict.state is State.FAILED):
            reasons.append(f"bot {bot.bot_id} is FAILED: {bot.last_error}")
        if bot.residue:
            reasons.append(f"bot {bot.bot_id}: a liquidation failed and its position is open")
        if bot.contested:
            reasons.append(f"bot {bot.bot_id}: {bot.contested} contested, see execsvc settle")
    return reasons


def _bot(bot: Bot) -> dict[str, Any]:
    run, binding, snapshot = bot.run, bot.binding, bot.snapshot
    return {
        "bot_id": bot.bot_id,
        "name": bot.row.name if bot.row is not None else bot.bot_id,
        "strategy": binding.strategy if binding else None,
        "symbol": binding.symbol if binding else None,
        "key_id": binding.key_id if binding else None,
        "mode": binding.mode.value if binding else None,
        "state": bot.state.value,
        "pid": run.child.pid if run else None,
        "started_at": iso(run.started_at) if run else None,
        "restarts": bot.restart_count,
        "ticks": snapshot.ticks,
        "last_tick_at": snapshot.last_tick_at,
        "consecutive_errors": snapshot.consecutive_errors,
        "last_error": bot.last_error,
        "position": bot.position,
    }


def _nameless(why: str) -> dict[str, Any]:
    """A row without a usable id: no bot has the empty string for one."""
    return {
        "bot_id": "",
        "name": "",
        "strategy": None,
        "symbol": None,
        "key_id": None,
        "mode": None,
        "state": State.INVALID.value,
        "pid": None,
        "started_at": None,
        "restarts": 0,
        "ticks": 0,
        "last_tick_at": None,
        "consecutive_errors": 0,
        "last_error": why,
        "position": Snapshot().position,
    }


def _time(moment: datetime | None) -> str | None:
    return iso(moment) if moment is not None else None
