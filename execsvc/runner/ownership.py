"""Makes this process the bot's only one: it waits for the ledger and kills an owner that stays too
long.
"""

from __future__ import annotations

import os
import signal

from execsvc.clock import monotonic
from execsvc.errors import LedgerBusy
from execsvc.logs import bound
from execsvc.runner.services import ProcessServices
from execsvc.store.bot_store import BotStore

_POLL = 0.05


def open_ledger(services: ProcessServices, patience: float) -> None:
    """Open the ledger, waiting while the runner of a dead supervisor still holds it.

    After ``patience`` seconds, which are enough for its stop, that runner is killed. Raises
    LedgerFailed, and StopRequested when a stop cuts the wait short.
    """
    ledger = services.ledger
    kill_at = monotonic() + patience
    while True:
        try:
            ledger.open()
            return
        except LedgerBusy as busy:
            services.reporter.update(last_error=f"waiting for pid {busy.pid or 'unknown'}")
            if busy.pid is not None and monotonic() >= kill_at:
                _kill(busy.pid, ledger)
                kill_at = monotonic() + patience
        services.waits.wait(_POLL)


def _kill(pid: int, ledger: BotStore) -> None:
    """Kill ``pid`` and its session, if it is the one that owns ``ledger``."""
    if not ledger.is_owned_by(pid):
        return
    event = bound(bot_id=ledger.bot_id).bind(event="orphan_killed", pid=pid)
    event.warning("killing pid {}, which did not stop", pid)
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # it has ended, or is another user's; the lock shows which
