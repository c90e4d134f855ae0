"""The supervisor's end of the control plane: it listens before the fork, and keeps on listening.

As the listening socket is kept here, a control plane that dies loses no connection that waits.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from functools import partial

from execsvc.settings import Settings
from execsvc.supervisor.attendant import Attendant
from execsvc.supervisor.child import Child
from execsvc.supervisor.context import Context

Server = Callable[[Settings, int, int], int]
"""``serve(settings, listener, lifeline)``: the work of the control plane, its exit code."""


class Front:
    """The process that answers HTTP at ``listener``."""

    def __init__(self, context: Context, listener: socket.socket, serve: Server) -> None:
        self._context = context
        self._listener = listener
        self._serve = serve
        self._attendant = Attendant(context, "control plane", self._fork)

    @property
    def key(self) -> str:
        """What its timers are asked under."""
        return self._attendant.key

    @property
    def gone(self) -> bool:
        """True while no such process lives."""
        return self._attendant.child is None

    def start(self) -> None:
        """Start the child."""
        self._attendant.start()

    def due(self) -> None:
        """Look whether it is to be started."""
        self._attendant.due()

    def died(self, child: Child, code: int) -> bool:
        """A child was reaped; False when it was another."""
        if child is not self._attendant.child:
            return False
        self._attendant.ended(code)
        return True

    def dismiss(self) -> None:
        """The service is at its end: answer what is under way, then go."""
        self._attendant.retire()
        if self._attendant.child is not None:
            self._context.children.tell(self._attendant.child, signal.SIGTERM)

    def kill(self) -> None:
        """It had its time."""
        if self._attendant.child is not None:
            self._context.children.kill(self._attendant.child)

    def _fork(self) -> Child:
        context, descriptor = self._context, self._listener.fileno()
        work = partial(self._serve, context.settings, descriptor, context.children.lifeline)
        return context.children.fork(work, {descriptor})
