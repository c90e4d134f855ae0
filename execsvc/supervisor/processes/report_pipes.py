"""The report pipes of all runners, behind one descriptor that is readable when one of them is."""

from __future__ import annotations

import select

from execsvc.workers.lines import Lines


class ReportPipes:
    """An epoll of its own, so that the loop can ignore the pipes between two reads of them.

    Runners may report a thousand times a second; all pipes with a report are read together, at most
    ten times a second.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._owners: dict[int, str] = {}

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._epoll.fileno()

    def add(self, lines: Lines, bot_id: str) -> None:
        """Listen to a pipe of ``bot_id``."""
        self._epoll.register(lines.descriptor, select.EPOLLIN)
        self._owners[lines.descriptor] = bot_id

    def remove(self, lines: Lines) -> None:
        """Stop listening to a pipe: its end was reached, or it is about to be closed.

        A pipe must be unregistered before it is closed: a descriptor that a child still holds would
        go on waking an epoll from which it cannot be removed any more.
        """
        if self._owners.pop(lines.descriptor, None) is not None:
            self._epoll.unregister(lines.descriptor)

    def ready(self) -> list[str]:
        """The bots whose pipes can be read."""
        ready = self._epoll.poll(0, max(len(self._owners), 1))
        return list({self._owners[descriptor] for descriptor, _ in ready})
