"""Changed rows of bots that run: the row is checked, the old process ends, a new one starts. Pure."""

from __future__ import annotations

from execsvc.runner.report import EndKind
from execsvc.supervisor.bots.draft import Draft
from execsvc.supervisor.bots.effects import Queue, Wake
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.run import Run, StopMode
from execsvc.supervisor.bots.steps import ask_to_stop
from execsvc.supervisor.processes.exit_classifier import described

RETRY = 30.0
"""Seconds until a check that ended without an answer is made again."""


def consider(draft: Draft) -> None:
    """Have the present row checked, when the bot's process runs another one."""
    bot = draft.bot
    desired, process = bot.desired, bot.process
    if desired.listed is not Listed.VALID:
        return
    assert process.run is not None
    assert process.run.spec is not None
    assert desired.row is not None
    if desired.row.runs_like(process.run.spec):
        draft.put(desired._replace(row_error=None, refused=None), process._replace(to_check=None))
        return
    if desired.refused is not None and desired.row.runs_like(desired.refused):
        return
    if process.check is None and draft.at.now >= bot.schedule.check_after:
        draft.put(process._replace(to_check=desired.row))
        draft.do(Queue())
    elif process.check is None:
        draft.do(Wake(bot.schedule.check_after))


def checked(draft: Draft, run: Run, code: int) -> None:
    """Act on the end of the process that checked a row."""
    bot = draft.bot
    assert run.spec is not None
    if not bot.runs_freely or bot.desired.row is None:
        return
    if not bot.desired.row.runs_like(run.spec):
        consider(draft)  # the row changed once more meanwhile
        return
    end = run.snapshot.end
    if end is not None and end.kind is EndKind.CHECKED:
        draft.put(bot.desired._replace(row_error=None))
        _apply(draft)
    elif end is not None and end.kind is EndKind.REFUSED:
        error = f"change refused: {end.detail}"
        draft.put(bot.desired._replace(refused=run.spec, row_error=error))
        draft.log("WARNING", "bot_change_refused", error)
    else:
        error = f"the change could not be checked: {run.killed_for or described(code)}"
        again = draft.at.now + RETRY
        draft.put(bot.desired._replace(row_error=error), bot.schedule._replace(check_after=again))
        draft.do(Wake(again))


def _apply(draft: Draft) -> None:
    """End the process for a successor, which keeps the position; a changed binding closes it first."""
    run, row = draft.bot.process.run, draft.bot.desired.row
    assert run is not None
    assert run.spec is not None
    assert row is not None
    moved = row.binding != run.spec.binding
    how = "stopped and liquidated first" if moved else "replaced, position kept"
    draft.log("INFO", "bot_changed", f"row changed: {how}")
    ask_to_stop(draft, StopMode.STOP if moved else StopMode.HOLD)
