"""The accounts that the service trades, each locked against other services of this machine.

Two services with state directories of their own would not take turns on one account. The locks are
in a folder that all instances share; without that folder there are no such locks.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from loguru import logger

from execsvc.errors import LedgerFailed
from execsvc.store.sqlite.file_lock import FileLock
from execsvc.store.sqlite.paths import ledger_path
from execsvc.store.sqlite.service import survey

_OTHERS_MAY_WRITE = stat.S_IWOTH
_ROOT = 0
_TRIES = 20


def shared_folder(runtime_dir: Path) -> Path:
    """The folder of the locks of all instances: beside their runtime directories, ``/run/lock/execsvc``."""
    return runtime_dir.parent / "lock" / "execsvc"


def why_unusable(folder: Path) -> str | None:
    """The reason why locks in ``folder`` would mean nothing; None when they can be kept there."""
    try:
        found = folder.stat()
    except OSError as error:
        return f"{folder}: {error.strerror}"
    if not stat.S_ISDIR(found.st_mode):
        return f"{folder} is no directory"
    if found.st_uid not in (_ROOT, os.geteuid()) or found.st_mode & _OTHERS_MAY_WRITE:
        return f"{folder} is not root's or ours alone"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} is not ours to write"
    return None


class Label(NamedTuple):
    """The text in the lock of an account; None for each fact that its holder did not write down."""

    state_dir: str | None
    pid: int | None

    @property
    def text(self) -> str:
        """The holder in words, for people."""
        place, pid = self.state_dir or "unknown", self.pid or "unknown"
        return f"the service with the state directory {place} (pid {pid})"


def holder(folder: Path, key_id: str) -> Label | None:
    """The label of the lock of ``key_id``; None when no process holds the lock. Raises LedgerFailed."""
    lock = FileLock(_path(folder, key_id))
    return _read(lock) if lock.is_locked() else None


class AccountLocks:
    """The locks that one supervisor holds; its children inherit them, and keep them if they outlive it."""

    def __init__(self, folder: Path, state_dir: Path) -> None:
        self._folder = folder
        self._state_dir = str(state_dir.resolve())
        self._locks: dict[str, FileLock] = {}
        self._locked: set[str] = set()
        self._is_logged = False

    def take(self, key_id: str) -> str | None:
        """Lock the account ``key_id``. Returns the reason why its bots must not run, None when they may.

        They may also run where locks cannot be kept, which is logged once, and where a process of an
        earlier start of this service still holds the lock.
        """
        if key_id in self._locked:
            return None
        why = why_unusable(self._folder)
        if why is not None:
            self._log_unusable(why)
            return None
        lock = self._locks.setdefault(key_id, FileLock(_path(self._folder, key_id)))
        try:
            if _acquired(lock):
                lock.label(f"{os.getpid()}\n{self._state_dir}\n")
                self._locked.add(key_id)
                return None
            found = _read(lock)
        except LedgerFailed as error:
            self._log_unusable(str(error))
            return None
        if found.state_dir == self._state_dir:
            return None
        return f"account {key_id} is traded by {found.text}; two services do not take turns"

    def may_be_run_elsewhere(self, key_id: str, bot_id: str) -> bool:
        """False when the service that has locked the account certainly does not run ``bot_id``.

        Each bot that a service runs, or once ran, has a ledger in the state directory of that
        service. True where the lock or that directory cannot be read.
        """
        if key_id in self._locked:
            return False
        try:
            found = holder(self._folder, key_id)
            if found is None:
                return False
            if found.state_dir is None:
                return True
            ledger = ledger_path(Path(found.state_dir), bot_id)
            return ledger in ledger.parent.iterdir()
        except (LedgerFailed, OSError):
            return True

    def held_elsewhere(self, bot_ids: Collection[str]) -> set[str]:
        """Those of the bots of which another service of the machine may hold a position, by its ledgers.

        Such a service is one that has locked an account; a damaged ledger counts as a position.
        """
        places = self._other_places() if bot_ids else set()
        return {bot_id for bot_id in bot_ids if any(_holds(place, bot_id) for place in places)}

    def _other_places(self) -> set[Path]:
        """The state directories of other services that have locked an account."""
        places = set()
        with suppress(LedgerFailed, OSError):
            for path in self._folder.glob("*.lock"):
                lock = FileLock(path)
                if lock.is_locked():
                    places.add(_read(lock).state_dir)
        return {Path(place) for place in places if place not in (None, self._state_dir)}

    def fence(self, key_id: str) -> int:
        """0: the lock of an account cannot be lost while a process of this service works on the account."""
        return 0

    def paused(self, key_id: str) -> str | None:
        """None: a lock that is held cannot be lost."""
        return None

    def to_inherit(self, key_id: str) -> set[int]:
        """The descriptor of the lock, which a process that inherits it keeps; none where no lock is kept."""
        descriptor = self._locks[key_id].descriptor if key_id in self._locked else None
        return set() if descriptor is None else {descriptor}

    def keep_only(self, key_ids: Collection[str]) -> None:
        """Give up the locks of other accounts; try again to get those of ``key_ids`` not held yet."""
        for key_id in [known for known in self._locks if known not in key_ids]:
            self._locks.pop(key_id).close()
            self._locked.discard(key_id)
        for key_id in self._locks.keys() - self._locked:
            self.take(key_id)

    def _log_unusable(self, why: str) -> None:
        if not self._is_logged:
            self._is_logged = True
            logger.bind(event="accounts_not_locked").warning(
                "another service of this machine that trades the same account would not be noticed: {}",
                why,
            )


def _acquired(lock: FileLock) -> bool:
    """Take the lock; False when another process holds it. A check (doctor) holds it for microseconds only."""
    for _ in range(_TRIES):
        if lock.try_acquire():
            return True
        os.sched_yield()
    return False


def _path(folder: Path, key_id: str) -> Path:
    return folder / f"{hashlib.sha256(key_id.encode()).hexdigest()[:32]}.lock"


def _read(lock: FileLock) -> Label:
    pid, _, state_dir = lock.read_label().partition("\n")
    return Label(state_dir.strip() or None, int(pid) if pid.isdigit() else None)


def _holds(state_dir: Path, bot_id: str) -> bool:
    """True when the service of ``state_dir`` may hold a position of the bot.

    False for a directory of another user, which cannot be read: no row may wait for that.
    """
    try:
        state = survey.read(state_dir, bot_id)
    except LedgerFailed:
        return True
    except OSError:
        return False
    return state is not None and state.is_open
