"""The calls of an operator at the control socket: stop, release, halt, resume, and their progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from execsvc.errors import LedgerFailed
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.facts import HeldNotRecorded, Occurrence, ReleaseAsked
from execsvc.supervisor.bots.fleet import Fleet
from execsvc.supervisor.bots.halting import Halting
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.status.bot_view import last_error
from execsvc.supervisor.status.unfinished import unfinished

Document = dict[str, Any]
Call = Callable[[Document], Document]


class OperatorCalls:
    """The calls by name. Most are taken while the service stops, too, as their effect outlives it."""

    def __init__(
        self, fleet: Fleet, bots: Bots, halting: Halting, await_row: Callable[[str], None]
    ) -> None:
        """``await_row`` lets a bot start by a listing from now on only."""
        self._fleet = fleet
        self._bots = bots
        self._halting = halting
        self._await_row = await_row
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
        answers = self._bots.apply(bot.bot_id, Occurrence.STOP_ASKED)
        written = not any(isinstance(answer, HeldNotRecorded) for answer in answers)
        return {"ok": True, "state": self._state(bot), "written": written}

    def _release(self, request: Document) -> Document:
        """Release a bot. ``how``: None, or ``abandon`` to give up its position first."""
        bot, how = self._bot(request), request.get("how")
        if bot is None:
            return {"error": "no such bot"}
        if self._fleet.service is not ServiceMode.RUNNING:
            return {"error": "the service is stopping"}
        if how not in (None, "abandon"):
            return {"error": "no such way to release a bot"}
        if how == "abandon" and bot.known.unreadable is not None:
            return {"error": f"its position is unknown: {bot.known.unreadable}"}
        self._await_rows([bot])
        self._bots.apply(bot.bot_id, ReleaseAsked(abandons=how == "abandon"))
        return {"ok": True, "state": self._state(bot)}

    def _released(self, request: Document) -> Document:
        """The progress of a release by an operator."""
        bot = self._bot(request)
        if bot is None:
            return {"state": None, "going_on": False, "failed": None, "last_error": None}
        return {
            "state": bot.state.value,
            "going_on": bot.desired.abandoning,
            "failed": bot.known.not_abandoned,
            "last_error": last_error(bot),
        }

    def _halt(self, request: Document) -> Document:
        reason = request.get("reason")
        if reason is not None and not (isinstance(reason, str) and reason.strip()):
            return {"error": "the reason is not a text"}
        fault = self._halting.halt(reason)
        return {"ok": True, "halted": self._halted(), "not_written": fault}

    def _resume(self, _: Document) -> Document:
        was = self._halted()
        self._await_rows(self._fleet.bots.values())
        try:
            self._halting.resume()
        except LedgerFailed as error:
            return {"error": f"trading stays halted: {error}"}
        holds = [(bot.bot_id, bot.hold_record.hold) for bot in self._fleet.bots.values()]
        held = [bot_id for bot_id, hold in holds if hold and hold.state is State.HELD]
        return {"ok": True, "was": was, "held": sorted(held)}

    def _unfinished(self, request: Document) -> Document:
        """The unfinished ones of all bots, or the one that is named, with its state."""
        bots = list(self._fleet.bots.values())
        one = self._bot(request)
        if "bot_id" in request:
            bots = [] if one is None else [one]
        left = [found for bot in bots if (found := unfinished(bot)) is not None]
        state = None if one is None else one.state.value
        return {"halted": self._halted(), "of": len(bots), "bots": left, "state": state}

    def _await_rows(self, bots: Iterable[Bot]) -> None:
        """Let those of the bots whose rows were given back start by a later listing only."""
        for bot_id in [bot.bot_id for bot in bots if bot.desired.given_back is not None]:
            self._await_row(bot_id)

    def _bot(self, request: Document) -> Bot | None:
        return self._fleet.bots.get(str(request.get("bot_id")))

    def _state(self, before: Bot) -> str:
        """The state of a bot now; ``before``: as it was."""
        return self._fleet.bots[before.bot_id].state.value

    def _halted(self) -> Document | None:
        halted = self._halting.current
        return None if halted is None else halted.model_dump()
