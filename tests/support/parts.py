"""The parts of a supervisor that its bots need, without a loop and without processes."""

from __future__ import annotations

from typing import Any

from execsvc.settings import Settings
from execsvc.store.store import Store
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.fleet import Fleet
from execsvc.supervisor.bots.halting import Halting
from execsvc.supervisor.bots.launch import Launcher
from execsvc.supervisor.bots.records import Ledgers, Records
from execsvc.supervisor.processes.context import ProcessContext


class Parts:
    """The bots of a service, with the records in ``store`` and the given ledgers, else those there."""

    def __init__(self, settings: Settings, store: Store, ledgers: Ledgers | None = None) -> None:
        self.context = ProcessContext(settings)
        self.records = Records(store, store if ledgers is None else ledgers)
        self.fleet = Fleet()
        self.bots = Bots(self.context, self.records, self.fleet)
        self.halting = Halting(self.context, self.records, self.bots)
        self.launcher = Launcher(self.context, self.records, self.fleet, self.bots, _forks_nothing)


def _forks_nothing(*_: Any) -> int:
    raise AssertionError("nothing is forked here")
