"""All bots of the service, and the pipes, queue and sums of their processes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_process import BotProcess
from execsvc.supervisor.bots.next_step import Service
from execsvc.supervisor.bots.recent import Recent
from execsvc.supervisor.bots.totals import Totals
from execsvc.supervisor.processes.report_pipes import ReportPipes


@dataclass
class Fleet:
    """The bots, which are changed by facts alone (class Bots), and what belongs to all of them."""

    service: Service = Service.RUNNING
    """The activity of the service as a whole."""
    bots: dict[str, Bot] = field(default_factory=dict)
    processes: dict[int, BotProcess] = field(default_factory=dict)
    """The processes of bots that are not reaped yet, by pid."""
    queue: deque[str] = field(default_factory=deque)
    """Bots for which a process is to be forked, in this order."""
    news: set[str] = field(default_factory=set)
    """Bots in whose ledgers there may be new rows to report."""
    reports: ReportPipes = field(default_factory=ReportPipes)
    recent: Recent = field(default_factory=Recent)
    totals: Totals = field(default_factory=Totals)
