"""The processes of one bot: those that work for it, those that are queued, and the last one's end."""

from __future__ import annotations

from typing import NamedTuple

from execsvc.model.bot import BotSpec
from execsvc.runner.job import Task
from execsvc.runner.report import Snapshot
from execsvc.supervisor.bots.run import Run


class Process(NamedTuple):
    """The processes of a bot."""

    run: Run | None = None
    """The process that owns its ledger."""
    check: Run | None = None
    """The process that checks a changed row."""
    queued: Task | None = None
    """The task for which a process is to be forked."""
    to_check: BotSpec | None = None
    """The changed row for which a process is to be forked that checks it."""
    last: Snapshot = Snapshot()
    """The last report of its latest process that trades."""
    error: str | None = None
    """The fault of its latest process, or of the try to have one."""
    ever_ran: bool = False
