"""Signals to the supervisor: handlers do nothing, a byte in a pipe names the signal."""

from __future__ import annotations

import os
import signal

from execsvc.dispositions import not_ignored

HANDLED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCHLD,
)


class Signals:
    """The read end of the wake-up pipe, for the selector."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def listen(self) -> None:
        """Write signals to the pipe from now on.

        INT stays ignored where this process was started with it ignored. HUP does not: it asks for a
        reload, and ends nothing.
        """
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for signum in set(HANDLED) - {signal.SIGINT} | not_ignored(signal.SIGINT):
            signal.signal(signum, _nothing)
        # The write to a reader that is gone fails, and does not end this process.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._read

    def take(self) -> list[int]:
        """The signals that came, in their order."""
        try:
            return list(os.read(self._read, 65536))
        except BlockingIOError:
            return []


def _nothing(signum: int, frame: object) -> None:
    """Do nothing: Python needs a handler to write the byte, and any other act would race with the loop."""
