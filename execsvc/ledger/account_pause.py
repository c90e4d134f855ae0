"""The time until which an account is to be left alone, shared by all processes of its bots."""

from __future__ import annotations

import os
from pathlib import Path

from execsvc.clock import now
from execsvc.errors import LedgerFailed
from execsvc.ledger.account_journal import journal_path

NEVER_PAUSED = float("-inf")
_CLOCK_SLACK = 1.0
"""Seconds by which the kernel's idea of now may differ from ours."""


class AccountPause:
    """A ``Retry-After`` of an account, kept as the modification time of a file.

    Looking costs one ``stat``, so that it can be done before every call.
    """

    def __init__(self, state_dir: Path, key_id: str) -> None:
        self._path = journal_path(state_dir, key_id).with_suffix(".pause")

    def remaining(self) -> float:
        """Seconds left of the pause; negative: seconds since it ended; -inf: there was none."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return NEVER_PAUSED
        except OSError as error:
            raise LedgerFailed(f"{self._path.name} cannot be read: {error}") from error
        at = now().timestamp()
        # Written in the future, so the clock was set back: that must not prolong the pause.
        return NEVER_PAUSED if at < found.st_ctime - _CLOCK_SLACK else found.st_mtime - at

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
