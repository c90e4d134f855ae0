"""The time until which an account is to be left alone, shared by all processes of its bots."""

from __future__ import annotations

import os
from pathlib import Path

from execsvc.clock import now
from execsvc.errors import LedgerFailed
from execsvc.ledger.account_journal import journal_path

NEVER_PAUSED = float("-inf")


class AccountPause:
    """A ``Retry-After`` of an account, kept as the modification time of a file.

    Looking costs one ``stat``, so that it can be done before every call.
    """

    def __init__(self, state_dir: Path, key_id: str) -> None:
        self._path = journal_path(state_dir, key_id).with_suffix(".pause")

    def remaining(self) -> float:
        """Seconds left of the pause; negative: seconds since it ended; -inf: there was none."""
        try:
            return self._path.stat().st_mtime - now().timestamp()
        except FileNotFoundError:
            return NEVER_PAUSED
        except OSError as error:
            raise LedgerFailed(f"{self._path.name} cannot be read: {error}") from error

    def pause(self, seconds: float) -> None:
        """Leave the account alone for ``seconds`` from now on, or longer if it is so already."""
        if seconds <= self.remaining():
            return
        until = now().timestamp() + seconds
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            os.utime(self._path, (until, until))
        except OSError as error:
            raise LedgerFailed(f"{self._path.name} cannot be written: {error}") from error
