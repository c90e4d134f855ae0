"""The lock and the port that only one supervisor can have."""

from __future__ import annotations

import select
import socket

from execsvc.errors import Unavailable
from execsvc.settings import Bind
from execsvc.store.service_store import ServiceStore

BACKLOG = 1024
_RETRY = 0.05
"""Seconds until a lock that is taken is tried again: a command may only have checked it."""
_TRIES = 5


class Taken(Unavailable):
    """Another process has what this one needs: the state directory, the port, the socket."""


def claim(store: ServiceStore) -> None:
    """Make this process the one supervisor of ``store``, until it dies. Raises Taken."""
    for _ in range(_TRIES):
        if store.take():
            return
        select.select((), (), (), _RETRY)
    place, pid = store.place().name, store.taken_by() or "unknown"
    raise Taken(f"{place} is in use by another supervisor, pid {pid}")


def listen_http(bind: Bind) -> socket.socket:
    """A listening socket that the control plane inherits. Raises Taken."""
    family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((bind.host, bind.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Taken(f"EXECSVC_HTTP_BIND: {bind}: {error.strerror}") from None
    listener.setblocking(False)
    return listener
