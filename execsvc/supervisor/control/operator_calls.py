"""The calls of an operator at the control socket: stop, release, halt, resume, and their progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from execsvc.errors import LedgerFailed
from execsvc.supervisor.bots import by_hand, rows
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.next_step import Service
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.status.unfinished import unfinished

Document = dict[str, Any]
Call = Callable[[Document], Document]


class OperatorCalls:
    """The calls by name. Most are taken while the service stops, too, as their effect outlives it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.by_name: dict[str, Call] = {
            "stop": self._stop,
            "release": self._release,
            "released": self._released,
            "halt": self._halt,
            "resume": self._resume,
            "unfinished": self._unfinished,
        }

    def _stop(self, request: Document) -> Document:
        bot = self._bot(request)
        if bot is None:  # a bot that is not listed and holds nothing has no record
            return {"ok": True, "state": None, "written": True}
        written = by_hand.stop(self._context, bot)
        return {"ok": True, "state": bot.state.value, "written": written}

    def _release(self, request: Document) -> Document:
        """Release a bot. ``how``: None, or ``abandon`` to give up its position first."""
        bot, how = self._bot(request), request.get("how")
        if bot is None:
            return {"error": "no such bot"}
        if self._context.service is not Service.RUNNING:
            return {"error": "the service is stopping"}
        if how not in (None, "abandon"):
            return {"error": "no such way to release a bot"}
        if how == "abandon" and bot.known.unreadable is not None:
            return {"error": f"its position is unknown: {bot.known.unreadable}"}
        rows.release(self._context, bot, abandons=how == "abandon")
        return {"ok": True, "state": bot.state.value}

    def _released(self, request: Document) -> Document:
        """The progress of a release by an operator."""
        bot = self._bot(request)
        if bot is None:
            return {"state": None, "going_on": False, "failed": None, "last_error": None}
        return {
            "state": bot.state.value,
            "going_on": bot.desired.abandoning,
            "failed": bot.known.not_abandoned,
            "last_error": bot.last_error,
        }

    def _halt(self, request: Document) -> Document:
        reason = request.get("reason")
        if reason is not None and not (isinstance(reason, str) and reason.strip()):
            return {"error": "the reason is not a text"}
        fault = by_hand.halt(self._context, reason)
        return {"ok": True, "halted": self._halted(), "not_written": fault}

    def _resume(self, _: Document) -> Document:
        was = self._halted()
        try:
            by_hand.resume(self._context)
        except LedgerFailed as error:
            return {"error": f"trading stays halted: {error}"}
        holds = [(bot.bot_id, bot.holding.hold) for bot in self._context.bots.values()]
        held = [bot_id for bot_id, hold in holds if hold and hold.state is State.HELD]
        return {"ok": True, "was": was, "held": sorted(held)}

    def _unfinished(self, request: Document) -> Document:
        """The unfinished ones of all bots, or the one that is named, with its state."""
        bots = list(self._context.bots.values())
        one = self._bot(request)
        if "bot_id" in request:
            bots = [] if one is None else [one]
        left = [found for bot in bots if (found := unfinished(bot)) is not None]
        state = None if one is None else one.state.value
        return {"halted": self._halted(), "of": len(bots), "bots": left, "state": state}

    def _bot(self, request: Document) -> Bot | None:
        return self._context.bots.get(str(request.get("bot_id")))

    def _halted(self) -> Document | None:
        halted = self._context.halt.current
        return None if halted is None else halted.model_dump()
