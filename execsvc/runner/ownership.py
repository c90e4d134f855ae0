"""Makes this process the bot's only one: waits for its ledger, and for whom it waits too long."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from execsvc.clock import monotonic
from execsvc.errors import LedgerBusy
from execsvc.logs import bound
from execsvc.runner.reporter import Reporter
from execsvc.runner.waits import Waits
from execsvc.store.sqlite.bot_ledger import BotLedger

_POLL = 0.05


def open_ledger(ledger: BotLedger, waits: Waits, reporter: Reporter, patience: float) -> None:
    """Open the ledger, waiting while the runner of a dead supervisor still holds it.

    After ``patience`` seconds that runner is killed: it had its time to stop. Raises
    LedgerFailed, and StopRequested when a stop cuts the wait short.
    """
    kill_at = monotonic() + patience
    while True:
        try:
            ledger.open()
            return
        except LedgerBusy as busy:
            reporter.update(last_error=f"waiting for pid {busy.pid or 'unknown'}")
            if busy.pid is not None and monotonic() >= kill_at:
                _kill(busy.pid, ledger)
                kill_at = monotonic() + patience
        waits.wait(_POLL)


def _kill(pid: int, ledger: BotLedger) -> None:
    """Kill ``pid`` and its session, if it is the one that has the lock of ``ledger`` open.

    The number may have gone to a stranger since it was written down.
    """
    lock = ledger.lock_path.resolve()
    try:
        descriptors = Path(f"/proc/{pid}/fd")
        if not any(entry.resolve() == lock for entry in descriptors.iterdir()):
            return
        told = bound(bot_id=ledger.bot_id).bind(event="orphan_killed", pid=pid)
        told.warning("killing pid {}, which did not stop", pid)
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, FileNotFoundError, PermissionError):
        return  # it is gone, or not ours to kill; the lock tells
