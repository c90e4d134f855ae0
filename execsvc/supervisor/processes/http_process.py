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

Server = Callable[[Settings, int, int, int], int]
"""``serve(settings, listener, lifeline, beats)``: the work of the control plane, its exit code.

It writes a line to ``beats`` at least every few seconds: a heartbeat.
"""
PATIENCE = 20.0
"""Seconds that it may be silent at least: it imports Flask and gunicorn first."""
_LONGEST_LINE = 64


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
            _LONGEST_LINE,
            PATIENCE,
            {listener.fileno()},
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

    def _work(self, _requests: int, answers: int) -> int:
        context = self._context
        return self._serve(
            context.settings, self._listener.fileno(), context.children.lifeline, answers
        )

    def _hear(self, line: bytes) -> None:
        """A sign of life says nothing more."""
