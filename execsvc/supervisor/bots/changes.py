"""Changed rows of bots that run: the row is checked, the old process ends, a new one starts."""

from __future__ import annotations

from execsvc.runner.report import EndKind
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.run import Run, StopMode
from execsvc.supervisor.bots.steps import tell
from execsvc.supervisor.processes.exit_classifier import described

RETRY = 30.0
"""Seconds until a check that ended without an answer is made again."""


def consider(context: Context, bot: Bot) -> None:
    """Have the present row checked, when the bot's process runs another one."""
    if bot.listed is not Listed.VALID:
        return
    assert bot.run is not None
    assert bot.run.spec is not None
    assert bot.row is not None
    if bot.row.runs_like(bot.run.spec):
        bot.row_error = bot.refused = bot.to_check = None
        return
    if bot.refused is not None and bot.row.runs_like(bot.refused):
        return
    if bot.check is None and context.clock.now >= bot.check_after:
        bot.to_check = bot.row
        context.queue.append(bot.bot_id)
    elif bot.check is None:
        context.timers.ask(bot.bot_id, bot.check_after)


def checked(context: Context, bot: Bot, run: Run, code: int) -> None:
    """Act on the end of the process that checked a row."""
    assert run.spec is not None
    if bot.run is None or not bot.runs_freely or bot.row is None:
        return
    if not bot.row.runs_like(run.spec):
        consider(context, bot)  # the row changed once more meanwhile
        return
    end = run.snapshot.end
    if end is not None and end.kind is EndKind.CHECKED:
        bot.row_error = None
        _apply(context, bot)
    elif end is not None and end.kind is EndKind.REFUSED:
        bot.refused = run.spec
        bot.row_error = f"change refused: {end.detail}"
        bot.log.bind(event="bot_change_refused").warning("{}", bot.row_error)
    else:
        why = run.killed_for or described(code)
        bot.row_error = f"the change could not be checked: {why}"
        bot.check_after = context.clock.now + RETRY
        context.timers.ask(bot.bot_id, bot.check_after)


def _apply(context: Context, bot: Bot) -> None:
    """End the process for a successor, which keeps the position; a changed binding closes it first."""
    assert bot.run is not None
    assert bot.run.spec is not None
    assert bot.row is not None
    moved = bot.row.binding != bot.run.spec.binding
    bot.log.bind(event="bot_changed").info(
        "row changed: {}", "stopped and liquidated first" if moved else "replaced, position kept"
    )
    tell(context, bot, StopMode.STOP if moved else StopMode.HOLD)
