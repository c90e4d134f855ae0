"""The documents of ``/status`` and ``/health``; their shape is a contract."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from execsvc import __version__
from execsvc.clock import iso, now
from execsvc.model.bot import InvalidRow
from execsvc.model.result import unknown, utc_day
from execsvc.runner.report import Snapshot
from execsvc.store.halted import Halted
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.next_step import Listed, ServiceMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.status.bot_view import guards, last_error, result
from execsvc.supervisor.status.conditions import conditions
from execsvc.supervisor.status.facts import Facts

SERVICE = "execution-service"
_HALTING = (State.STOPPING, State.LIQUIDATING, State.STOPPED)
"""States in which a bot does not run because trading is halted."""


def status(facts: Facts, *, diagnostics: bool = False) -> dict[str, Any]:
    """The answer to ``GET /status``; with ``diagnostics`` also what each strategy reported last."""
    shown = [_bot(bot, facts.halted) for bot in facts.bots] + [
        _nameless(row) for row in facts.nameless
    ]
    if diagnostics:
        seen = [bot.snapshot.diagnostics for bot in facts.bots] + [{} for _ in facts.nameless]
        for document, reported in zip(shown, seen, strict=True):
            document["diagnostics"] = reported
    counts = Counter(bot["state"] for bot in shown)
    polled = facts.polled
    return {
        "service": SERVICE,
        "version": __version__,
        "pid": facts.pid,
        "state": "RUNNING" if facts.service is ServiceMode.RUNNING else "STOPPING",
        "started_at": iso(facts.started_at),
        "uptime_sec": round(facts.uptime, 3),
        "halted": facts.halted.model_dump() if facts.halted is not None else None,
        "poll": {
            "interval_sec": polled.interval,
            "last_success_at": _time(polled.last_success_at),
            "consecutive_failures": polled.failures,
            "last_error": polled.last_error,
            "pending_mass_stop": polled.pending._asdict() if polled.pending else None,
        },
        "reports": facts.reports,
        "running_bots": counts[State.RUNNING.value],
        "counts": dict(sorted(counts.items())),
        "active_runners": [bot.bot_id for bot in facts.bots if bot.processes.owner is not None],
        "bots": shown,
    }


def health(facts: Facts) -> dict[str, Any]:
    """The answer to ``GET /health``; the control plane says ``down`` when it gets no answer."""
    reasons = [wrong.text for wrong in conditions(facts) if wrong.degrades]
    state = "degraded" if reasons else "ok"
    if facts.service is not ServiceMode.RUNNING:
        state = "stopping"
    return {"status": state, "service": SERVICE, "reasons": reasons}


def _bot(bot: Bot, halted: Halted | None) -> dict[str, Any]:
    process, binding, snapshot, moment = bot.processes.owner, bot.binding, bot.snapshot, now()
    return {
        "bot_id": bot.bot_id,
        "name": bot.name,
        "strategy": binding.strategy if binding else None,
        "symbol": binding.symbol if binding else None,
        "key_id": binding.key_id if binding else None,
        "mode": binding.mode.value if binding else None,
        "state": bot.state.value,
        "pid": process.pid if process else None,
        "started_at": iso(process.started_at) if process else None,
        "restarts": bot.schedule.restart_count,
        "ticks": snapshot.ticks,
        "last_tick_at": snapshot.last_tick_at,
        "consecutive_errors": snapshot.consecutive_errors,
        "last_error": _last_error(bot, halted),
        "position": bot.position,
        "result": result(bot, utc_day(moment)),
        "guards": guards(bot, moment),
        "abandoned": [one.shown() for one in bot.abandoned_by(moment)],
    }


def _last_error(bot: Bot, halted: Halted | None) -> str | None:
    """The error of the bot; in a halt also the halt, as the reason why the bot does not run."""
    gone = bot.desired.listed is Listed.GONE and bot.state is State.STOPPED
    if halted is None or gone or bot.state not in _HALTING:
        return last_error(bot)
    return f"{halted.text}; {last_error(bot)}" if last_error(bot) else halted.text


def _nameless(row: InvalidRow) -> dict[str, Any]:
    """A row without a usable id: no bot has the empty string for one."""
    return {
        "bot_id": "",
        "name": row.name,
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
        "last_error": row.reason,
        "position": Snapshot().position,
        "result": unknown(None),
        "guards": [],
        "abandoned": [],
    }


def _time(moment: datetime | None) -> str | None:
    return iso(moment) if moment is not None else None
