"""The times until which an account is to be left alone, shared by all processes of its bots."""

from __future__ import annotations

import fcntl
import os
from datetime import timedelta
from pathlib import Path

from execsvc.clock import Moment, iso, moment, now
from execsvc.logs import bound
from execsvc.store.account_store import NEVER_PAUSED
from execsvc.store.sqlite import faults
from execsvc.store.sqlite.paths import journal_path

_CLOCK_SLACK = 1.0
"""Seconds by which the kernel's time of a file may differ from the clock of this process."""


class PauseFiles:
    """A ``Retry-After`` of an account and a ban, each kept as a file.

    A check costs one ``stat`` for each file, so that it can be made before every call.
    """

    def __init__(self, state_dir: Path, key_id: str) -> None:
        path = journal_path(state_dir, key_id)
        self._key_id = key_id
        self._pause = _Until(path.with_suffix(".pause"))
        self._ban = _Until(path.with_suffix(".ban"))

    def remaining(self) -> float:
        """Seconds left of the pause; negative: seconds since it ended; -inf: there was none."""
        return self._pause.remaining()

    def banned(self) -> float:
        """Seconds left of the ban, in the form of :meth:`remaining`."""
        return self._ban.remaining()

    def pause(self, seconds: float) -> None:
        """Leave the account alone for ``seconds`` from now on; a longer pause in force stays."""
        self._pause.prolong(seconds)

    def ban(self, seconds: float, why: str) -> None:
        """Read nothing for ``seconds`` from now on; the first process to record the ban logs it."""
        if self._ban.prolong(seconds) > 0:
            return
        until = iso(now() + timedelta(seconds=seconds))
        bound(key_id=self._key_id).bind(event="account_banned").warning(
            "nothing is read for account {} until {}, but for exits: {}", self._key_id, until, why
        )


class _Until:
    """A moment that many processes may postpone and none may advance: the time of a file.

    The modification time is the moment by the wall clock, the content the moment by CLOCK_BOOTTIME,
    which counts only in the boot in which it was written. The content is read once after each change.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = (0, 0)
        self._by_boot = (0.0, "")

    def remaining(self) -> float:
        """Seconds left; negative: seconds since then; -inf: there was none."""
        try:
            found = self._path.stat()
            boottime, boot_id = self._content((found.st_ino, found.st_mtime_ns))
        except FileNotFoundError:
            return NEVER_PAUSED
        except OSError as error:
            raise faults.failed(f"{self._path.name} cannot be read", error) from error
        here = moment()
        if boot_id == here.boot_id:
            return boottime - here.boottime
        at = here.at.timestamp()
        # The file was written in the future, so the clock was set back: that must not prolong the wait.
        return NEVER_PAUSED if at < found.st_ctime - _CLOCK_SLACK else found.st_mtime - at

    def prolong(self, seconds: float) -> float:
        """Set the moment to ``seconds`` from now on; a later one stays.

        Returns the value of :meth:`remaining` before; of many concurrent calls one is the first.
        """
        if seconds <= (before := self.remaining()):
            return before
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                before = self.remaining()  # 0 at most for a file that was made just now
                if seconds > before:
                    self._write(descriptor, seconds, moment())
            finally:
                os.close(descriptor)
        except OSError as error:
            raise faults.failed(f"{self._path.name} cannot be written", error) from error
        return before

    def _write(self, descriptor: int, seconds: float, here: Moment) -> None:
        """Write the moment ``seconds`` after ``here``, in one piece, as other processes read meanwhile."""
        text = f"{here.boottime + seconds:020.6f} {here.boot_id}\n"
        os.pwrite(descriptor, text.encode(), 0)
        os.ftruncate(descriptor, len(text))
        at = here.at.timestamp() + seconds
        os.utime(descriptor, (at, at))

    def _content(self, stamp: tuple[int, int]) -> tuple[float, str]:
        """The moment and the id of its boot; an empty id for a file that an older service wrote."""
        if stamp != self._stamp:
            boottime, _, boot_id = self._path.read_text().strip().partition(" ")
            try:
                self._by_boot = float(boottime), boot_id
            except ValueError:
                self._by_boot = 0.0, ""
            self._stamp = stamp
        return self._by_boot
