"""Changed rows of bots that run: the row is checked, the old process ends, a new one starts."""

from __future__ import annotations

from dataclasses import replace

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
    if bot.desired.listed is not Listed.VALID:
        return
    assert bot.process.run is not None
    assert bot.process.run.spec is not None
    assert bot.desired.row is not None
    if bot.desired.row.runs_like(bot.process.run.spec):
        bot.put(
            replace(bot.desired, row_error=None, refused=None), replace(bot.process, to_check=None)
        )
        return
    if bot.desired.refused is not None and bot.desired.row.runs_like(bot.desired.refused):
        return
    if bot.process.check is None and context.clock.now >= bot.schedule.check_after:
        bot.put(replace(bot.process, to_check=bot.desired.row))
        context.queue.append(bot.bot_id)
    elif bot.process.check is None:
        context.timers.ask(bot.bot_id, bot.schedule.check_after)


def checked(context: Context, bot: Bot, run: Run, code: int) -> None:
    """Act on the end of the process that checked a row."""
    assert run.spec is not None
    if bot.process.run is None or not bot.runs_freely or bot.desired.row is None:
        return
    if not bot.desired.row.runs_like(run.spec):
        consider(context, bot)  # the row changed once more meanwhile
        return
    end = run.snapshot.end
    if end is not None and end.kind is EndKind.CHECKED:
        bot.put(replace(bot.desired, row_error=None))
        _apply(context, bot)
    elif end is not None and end.kind is EndKind.REFUSED:
        bot.put(replace(bot.desired, refused=run.spec))
        bot.put(replace(bot.desired, row_error=f"change refused: {end.detail}"))
        bot.log.bind(event="bot_change_refused").warning("{}", bot.desired.row_error)
    else:
        why = run.killed_for or described(code)
        bot.put(replace(bot.desired, row_error=f"the change could not be checked: {why}"))
        bot.put(replace(bot.schedule, check_after=context.clock.now + RETRY))
        context.timers.ask(bot.bot_id, bot.schedule.check_after)


def _apply(context: Context, bot: Bot) -> None:
    """End the process for a successor, which keeps the position; a changed binding closes it first."""
    assert bot.process.run is not None
    assert bot.process.run.spec is not None
    assert bot.desired.row is not None
    moved = bot.desired.row.binding != bot.process.run.spec.binding
    bot.log.bind(event="bot_changed").info(
        "row changed: {}", "stopped and liquidated first" if moved else "replaced, position kept"
    )
    tell(context, bot, StopMode.STOP if moved else StopMode.HOLD)
