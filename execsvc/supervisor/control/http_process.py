"""The worker that answers HTTP, at a listening socket that the supervisor holds.

As the supervisor keeps the socket, a control plane that dies loses no connection that waits.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable

from execsvc.settings import Settings
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.worker_channel import WorkerChannel
from execsvc.workers.channel import Pipes

Server = Callable[[Settings, int, Pipes], int]
"""``serve(settings, listener, pipes)``: the work of the control plane; returns its exit code."""
START_TIME = 20.0
"""Seconds for which the worker may be silent at least: it imports Flask and gunicorn first."""


def http_channel(
    context: ProcessContext,
    selector: selectors.BaseSelector,
    listener: socket.socket,
    serve: Server,
) -> WorkerChannel:
    """The channel to the worker that answers at ``listener``, not started yet; it only sends heartbeats."""
    return WorkerChannel(
        context,
        selector,
        "control plane",
        lambda pipes: serve(context.settings, listener.fileno(), pipes),
        longest_silence=START_TIME,
        keep={listener.fileno()},
    )
