"""The lease of this host in memory that all of its processes share: for how long, and on which accounts.

The supervisor makes the page, a file in the runtime directory, before its first fork; the worker ``lease``
alone writes the page; every other process reads without a lock. A checksum tells a reader of half a change.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from execsvc.errors import LedgerFailed, LedgerUnavailable

NAME = "lease.page"
SIZE = 4 * 1024 * 1024
"""Bytes of the page: more than 40 000 accounts. A part that was never written takes no memory."""
_HEADER = struct.Struct("<ddQQI")
"""The deadline, the end of the lease, the number, length and checksum of the content."""
_CHECKSUM = struct.Struct("<I")
_CONTENT_AT = 64
_TRIES = 10_000


@dataclass(frozen=True)
class HostLeaseView:
    """The lease of this host as its worker knew it last; moments are CLOCK_BOOTTIME in seconds."""

    deadline: float = 0.0
    """The moment from which no order may be sent."""
    ends: float = 0.0
    """The moment from which another host may have the accounts; 0 before the host has joined."""
    incarnation: str = ""
    fences: Mapping[str, int] = field(default_factory=dict)
    """The number of the claim on each account of this host."""
    holders: Mapping[str, str] = field(default_factory=dict)
    """The host that has each account which has one."""
    decidable: frozenset[str] = frozenset()
    """The ids of open orders that this host may call not executed."""


class LeasePage:
    """The page at ``path``, mapped at its first use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._memory: mmap.mmap | None = None
        self._number = 0
        self._content = HostLeaseView()
        self._written = b""

    def create(self) -> None:
        """Make an empty page in the place of one that an earlier supervisor left. Raises LedgerFailed."""
        try:
            self._path.unlink(missing_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.ftruncate(descriptor, SIZE)
                self._memory = mmap.mmap(descriptor, SIZE)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise LedgerFailed(f"{self._path}: {error.strerror}") from error
        self.write(HostLeaseView())
        self._written = b""  # the worker ``lease``, a fork of this process, writes from here on
        self._number = 0

    def write(self, view: HostLeaseView) -> None:
        """Replace the content of the page; to be called by one process only. Raises LedgerFailed."""
        memory = self._mapped()
        content = json.dumps(
            [view.incarnation, dict(view.fences), dict(view.holders), sorted(view.decidable)]
        ).encode()
        if len(content) > SIZE - _CONTENT_AT:
            raise LedgerFailed(f"{self._path.name}: there are too many accounts")
        if content != self._written:
            memory[_CONTENT_AT : _CONTENT_AT + len(content)] = content
            self._written, self._content = content, view
            self._number = self._number_of(memory) + 1
        header = _HEADER.pack(
            view.deadline, view.ends, self._number, len(content), zlib.crc32(content)
        )
        memory[: _HEADER.size + _CHECKSUM.size] = header + _CHECKSUM.pack(zlib.crc32(header))

    def read(self) -> HostLeaseView:
        """The content of the page, whole. Raises LedgerUnavailable where there is none."""
        memory = self._mapped()
        for _ in range(_TRIES):
            whole = memory[: _HEADER.size + _CHECKSUM.size]
            header = whole[: _HEADER.size]
            if _CHECKSUM.unpack(whole[_HEADER.size :])[0] != zlib.crc32(header):
                continue
            deadline, ends, number, length, checksum = _HEADER.unpack(header)
            if number != self._number:
                content = memory[_CONTENT_AT : _CONTENT_AT + length]
                if zlib.crc32(content) != checksum:
                    continue
                self._content, self._number = _view(json.loads(content)), number
            known = self._content
            return HostLeaseView(
                *(deadline, ends, known.incarnation, known.fences),
                *(known.holders, known.decidable),
            )
        raise LedgerUnavailable("the lease of this host is just being written")

    @staticmethod
    def _number_of(memory: mmap.mmap) -> int:
        number: int = _HEADER.unpack(memory[: _HEADER.size])[2]
        return number

    def _mapped(self) -> mmap.mmap:
        if self._memory is None:
            try:
                descriptor = os.open(self._path, os.O_RDWR)
                try:
                    self._memory = mmap.mmap(descriptor, SIZE)
                finally:
                    os.close(descriptor)
            except (OSError, ValueError) as error:
                raise LedgerUnavailable(f"the lease of this host is not known: {error}") from error
        return self._memory


def _view(content: list[Any]) -> HostLeaseView:
    incarnation, fences, holders, decidable = content
    return HostLeaseView(0.0, 0.0, incarnation, fences, holders, frozenset(decidable))
