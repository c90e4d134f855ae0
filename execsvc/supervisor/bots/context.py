"""The objects that all parts of the supervisor share: settings, clock, children, ledgers."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from execsvc.errors import LedgerFailed
from execsvc.runner.job import Job
from execsvc.settings import Settings
from execsvc.store.bot_state import LedgerState
from execsvc.store.claims import AccountClaims
from execsvc.store.service_store import Halt, HeldBots
from execsvc.store.store import Store
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_process import BotProcess
from execsvc.supervisor.bots.next_step import Service
from execsvc.supervisor.bots.recent import Recent
from execsvc.supervisor.bots.totals import Totals
from execsvc.supervisor.processes.child import Child, Children
from execsvc.supervisor.processes.loop_clock import LoopClock
from execsvc.supervisor.processes.report_pipes import ReportPipes
from execsvc.supervisor.processes.timers import Timers

Runner = Callable[[Job, Settings, int, int], int]
"""``run(job, settings, lifeline, report)``: the work of a forked runner, its exit code."""


class Ledgers(Protocol):
    """The reads of ledgers by the supervisor."""

    def read(self, bot_id: str) -> LedgerState | None:
        """The state of one bot; None when the bot has no ledger. Raises LedgerFailed."""
        ...

    def read_named(self, name: str) -> LedgerState | None:
        """The state of one bot, by the name of its records in the store. Raises LedgerFailed."""
        ...

    def survey(self) -> tuple[list[LedgerState], dict[str, LedgerFailed]]:
        """Every readable state, and the faults of the unreadable ledgers by their names."""
        ...


class Reserve(Protocol):
    """A process that was forked beforehand, for a time when no process can be forked."""

    def take(self, job: Job) -> tuple[Child, int] | None:
        """Let the process do ``job``. Returns it and the read end of its reports, None without one."""
        ...


@dataclass
class Context:
    """The shared objects of all parts of the supervisor; ``settings`` and ``service`` may change."""

    settings: Settings
    run: Runner
    store: Store
    ledgers: Ledgers
    children: Children = field(default_factory=Children)
    clock: LoopClock = field(default_factory=LoopClock)
    timers: Timers = field(default_factory=Timers)
    reports: ReportPipes = field(default_factory=ReportPipes)
    recent: Recent = field(default_factory=Recent)
    totals: Totals = field(default_factory=Totals)
    bots: dict[str, Bot] = field(default_factory=dict)
    processes: dict[int, BotProcess] = field(default_factory=dict)
    """The processes of bots that are not reaped yet, by pid."""
    queue: deque[str] = field(default_factory=deque)
    """Bots for which a process is to be forked, in this order."""
    news: set[str] = field(default_factory=set)
    """Bots in whose ledgers there may be new rows to report."""
    service: Service = Service.RUNNING
    held: HeldBots = field(init=False)
    halt: Halt = field(init=False)
    accounts: AccountClaims = field(init=False)
    start: str = field(default_factory=lambda: secrets.token_hex(8))
    """The name of this start of the service."""
    reserve: Reserve | None = None

    def __post_init__(self) -> None:
        self.held, self.halt = self.store.held(), self.store.halt()
        self.accounts = self.store.claims()

    @property
    def halted(self) -> bool:
        """True while the kill switch is on."""
        return self.halt.current is not None
