"""The facts at one moment, of which the documents, conditions and alerts are made."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from execsvc.model.bot import InvalidRow
from execsvc.store.halted import Halted
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.listing.absence import Pending


class Polled(NamedTuple):
    """The state of the listings. ``age``: seconds since the last good one."""

    interval: float
    age: float
    last_success_at: datetime | None
    failures: int
    last_error: str | None
    pending: Pending | None


class Facts(NamedTuple):
    """All facts at one moment. ``uptime`` is in seconds."""

    pid: int
    service: ServiceMode
    started_at: datetime
    uptime: float
    polled: Polled
    bots: list[Bot]
    nameless: list[InvalidRow]
    halted: Halted | None = None
    reports: dict[str, object] | None = None
    """The state of the reports to BotService; None when none are made."""
    store: str | None = None
    """The reason why this host has no lease in the store that hosts share; None while it has."""
    no_process: str | None = None
    """The reason why the machine has no process to give; None while it has."""
