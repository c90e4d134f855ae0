"""The facts about one bot as people see them, in ``/status``, ``/health``, alerts and answers."""

from __future__ import annotations

from datetime import date, datetime

from execsvc.model.result import unknown, unstarted, utc_day
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.next_step import Listed

_LEFT = "left by an earlier run of the service; waits for the first good listing"


def last_error(bot: Bot) -> str | None:
    """The error that ``/status`` shows: of the row, else of the process, else of its end."""
    desired, processes = bot.desired, bot.processes
    alive = processes.owner.snapshot.last_error if processes.owner is not None else None
    hold = bot.hold_record.hold.detail if bot.hold_record.hold is not None else None
    # An earlier fault of a bot that is over says nothing of its present state.
    past = None if bot.is_over else processes.error or processes.last.last_error
    if hold and past and past not in hold and bot.residue:
        hold = f"{hold}; {past}"  # the detail of the hold does not say why the position is not sold
    waits = _LEFT if desired.listed is Listed.UNSEEN else None
    away = None if bot.is_over or processes.owner is not None else bot.known.elsewhere
    over = desired.given_back if desired.listed is Listed.GONE else None
    return (
        desired.row_error or alive or away or hold or bot.known.unavailable or over or past or waits
    )


def result(bot: Bot, day: date) -> dict[str, str | None]:
    """The realised result, as ``/status`` shows it on the UTC day ``day``."""
    quote = bot.binding.quote if bot.binding is not None else None
    ledger = bot.known.ledger
    if not bot.is_reporting and ledger is None and bot.known.unreadable is None:
        return unstarted(quote)
    kept = ledger.result if ledger is not None else None
    found = bot.snapshot.result if bot.is_reporting else kept
    return found.shown(day) if found is not None else unknown(quote)


def guards(bot: Bot, moment: datetime) -> list[dict[str, str]]:
    """The guards that keep the bot from entering.

    Without a process that trades: a daily loss of the UTC day of ``moment``, and a stop loss that no stop
    by the bot's user has ended.
    """
    ledger = bot.known.ledger
    if bot.trades and bot.is_reporting:
        return bot.snapshot.guards
    if ledger is None:
        return []
    day, stop_loss = ledger.daily_loss, ledger.stop_loss
    found = [day] if day is not None and utc_day(day.since) == utc_day(moment) else []
    found += [stop_loss] if stop_loss is not None and bot.is_stopped_out else []
    return [guard.shown() for guard in found]
