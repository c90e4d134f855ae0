"""Notifications to systemd, over the datagram socket named by ``$NOTIFY_SOCKET``."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

STATUS_EVERY = 1.0
"""Seconds between two checks for a change of the status."""


class Notifier:
    """Sends states to systemd; does nothing when no socket is named.

    The variables are removed from ``environ``, so that no child sends messages for the service.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        address = environ.pop("NOTIFY_SOCKET", "")
        interval = environ.pop("WATCHDOG_USEC", "")
        pid = environ.pop("WATCHDOG_PID", "")
        # A leading @ stands for the null byte of an abstract socket.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if self._address[:1] in ("/", "\0"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
        self._watched = interval.isdigit() and pid in ("", str(os.getpid()))
        self.interval = min(int(interval) / 3e6, STATUS_EVERY) if self._watched else STATUS_EVERY
        """Seconds until the next message; a watchdog gets three in its interval."""

    @property
    def enabled(self) -> bool:
        """True when systemd listens."""
        return self._socket is not None

    def ready(self, status: str) -> None:
        """Send that the service is ready."""
        self._send(f"READY=1\nSTATUS={_one_line(status)}")

    def stopping(self, status: str) -> None:
        """Send that the service has begun to stop."""
        self._send(f"STOPPING=1\nSTATUS={_one_line(status)}")

    def status(self, status: str) -> None:
        """Send the text that ``systemctl status`` shows."""
        self._send(f"STATUS={_one_line(status)}")

    def more_time(self, seconds: float) -> None:
        """Send that the stop goes on, and will show more progress within ``seconds``."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def alive(self) -> None:
        """Send the message of the watchdog, that the loop turns."""
        if self._watched:
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if self._socket is not None:
            try:
                self._socket.sendto(text.encode("utf-8", "replace"), self._address)
            except OSError:
                return  # systemd is busy or gone; the service goes on without it


def _one_line(text: str) -> str:
    return " ".join(text.split())
