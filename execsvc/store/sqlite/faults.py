"""The distinction between a fault that may pass by itself and one of the file."""

from __future__ import annotations

import errno
import sqlite3

from execsvc.errors import LedgerFailed, LedgerUnavailable

FAULTS = (OSError, sqlite3.Error, MemoryError)
"""The exceptions of the operating system and SQLite when a file cannot be read or written."""
_PASSING_NUMBERS = frozenset(
    {
        errno.EACCES,
        errno.EAGAIN,
        errno.EBUSY,
        errno.EDQUOT,
        errno.EINTR,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOLCK,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.EPERM,
        errno.EROFS,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)
_BUSY = frozenset({5, 6, 15})
"""SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: https://www.sqlite.org/rescode.html"""
_PASSING_CODES = _BUSY | {7, 8, 10, 13, 14}
"""_BUSY, and SQLITE_NOMEM, SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN."""
_DAMAGED_CODES = frozenset({1032, 8458})
"""SQLITE_READONLY_DBMOVED and SQLITE_IOERR_CORRUPTFS: the file was replaced, or its disk is broken."""
_BUSY_WORDS = ("locked", "locking protocol")
_PASSING_WORDS = (
    *_BUSY_WORDS,
    "out of memory",
    "readonly database",
    "disk I/O error",
    "disk is full",
    "unable to open database file",
)


def failed(what: str, error: BaseException) -> LedgerFailed:
    """The error that says that ``what`` failed: LedgerUnavailable where another try may help.

    The file is sound where a lock is held, a disk is full or read-only, or the machine
    has no descriptor or memory to give. Everything else is a fault of the file.
    """
    kind = LedgerUnavailable if passes(error) else LedgerFailed
    return kind(f"{what}: {_text(error)}")


def passes(error: BaseException) -> bool:
    """True when ``error`` is no fault of the file and may be over at the next try."""
    if isinstance(error, (LedgerUnavailable, MemoryError)):
        return True
    if isinstance(error, OSError):
        return error.errno in _PASSING_NUMBERS
    return _is(error, _PASSING_CODES, _PASSING_WORDS)


def is_busy(error: sqlite3.Error) -> bool:
    """True when another connection or process holds the lock that was wanted."""
    return _is(error, _BUSY, _BUSY_WORDS)


def _is(error: BaseException, codes: frozenset[int], words: tuple[str, ...]) -> bool:
    if not isinstance(error, sqlite3.Error):
        return False
    code = getattr(error, "sqlite_errorcode", None)  # since Python 3.11
    if code is None:
        return any(each in str(error) for each in words)
    return code not in _DAMAGED_CODES and code & 0xFF in codes


def _text(error: BaseException) -> str:
    return str(error) or ("out of memory" if isinstance(error, MemoryError) else repr(error))
