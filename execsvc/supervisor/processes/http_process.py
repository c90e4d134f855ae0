"""The process of the control plane, whose socket the supervisor holds.

As the supervisor keeps the listening socket, a control plane that dies loses no connection that waits.
"""

from __future__ import annotations

import selectors
import signal
import socket
from collections.abc import Callable

from execsvc.settings import Settings
from execsvc.supervisor.processes.child import Child
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.worker_channel import WorkerChannel
from execsvc.workers.channel import Pipes

Server = Callable[[Settings, int, Pipes], int]
"""``serve(settings, listener, pipes)``: the work of the control plane; returns its exit code."""
PATIENCE = 20.0
"""Seconds that it may be silent at least: it imports Flask and gunicorn first."""


class HttpProcess:
    """The process that answers HTTP at ``listener``."""

    def __init__(
        self,
        context: ProcessContext,
        selector: selectors.BaseSelector,
        listener: socket.socket,
        serve: Server,
    ) -> None:
        self._context = context
        self._listener = listener
        self._serve = serve
        self._channel = WorkerChannel(
            context,
            selector,
            "control plane",
            self._work,
            self._hear,
            patience=PATIENCE,
            keep={listener.fileno()},
        )

    @property
    def key(self) -> str:
        """The key of its timers."""
        return self._channel.key

    @property
    def gone(self) -> bool:
        """True while no such process lives."""
        return self._channel.gone

    def start(self) -> None:
        """Start the child."""
        self._channel.start()

    def due(self) -> None:
        """Start the process if its moment has come, replace it if it hangs."""
        self._channel.due()

    def died(self, child: Child, code: int) -> bool:
        """Take note that ``child`` was reaped; False when it is another."""
        return self._channel.died(child, code)

    def dismiss(self) -> None:
        """Let the process answer what is under way, and end."""
        self._channel.dismiss(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process, for good."""
        self._channel.stop()

    def _work(self, pipes: Pipes) -> int:
        return self._serve(self._context.settings, self._listener.fileno(), pipes)

    def _hear(self, line: bytes) -> None:
        """Ignore the line: this worker writes heartbeats alone."""
