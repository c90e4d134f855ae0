"""The bots that have not ended flat, and the reasons, for an operator who stopped them. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.status.bot_view import last_error


class Why(NamedTuple):
    """The reason why a bot has not ended flat. ``going_on``: a process works on it, so a wait may help."""

    text: str
    going_on: bool


def unfinished(bot: Bot) -> dict[str, Any] | None:
    """The reason why ``bot`` has not ended flat, with its facts; None when it has."""
    why = _why(bot)
    if why is None:
        return None
    binding = (
        bot.known.ledger.binding
        if bot.known.ledger is not None and bot.known.ledger.binding
        else bot.binding
    )
    return {
        "bot_id": bot.bot_id,
        "name": bot.desired.row.name if bot.desired.row is not None else None,
        "state": bot.state.value,
        "symbol": binding.symbol if binding is not None else None,
        "tracked": None if bot.known.unreadable is not None else bot.position["tracked"],
        "why": why.text,
        "going_on": why.going_on,
    }


def _why(bot: Bot) -> Why | None:
    stuck = _stuck(bot)
    if stuck is not None:
        return Why(stuck, going_on=False)
    if bot.residue:
        detail = f": {last_error(bot)}" if last_error(bot) else ""
        return Why(f"a liquidation failed and is tried again{detail}", going_on=True)
    if (
        bot.processes.owner is not None
        or bot.processes.queued is not None
        or bot.hold_record.pending is not None
    ):
        return Why("its process has not ended yet", going_on=True)
    if bot.is_open:
        return Why("its position is open", going_on=bot.state is State.LIQUIDATING)
    if bot.contested:
        return Why(f"{bot.contested} contested, see execsvc settle", going_on=False)
    return None


def _stuck(bot: Bot) -> str | None:
    """The reason why ``bot`` waits for an operator; None when it does not."""
    if bot.known.unreadable is not None and bot.processes.owner is None:
        return f"its position is unknown: {bot.known.unreadable}"
    return bot.doubt if bot.is_open else None
