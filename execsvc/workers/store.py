"""The worker with this host's broker: the one connection to PostgreSQL for all of its processes.

It waits for requests and answers by a selector of its own, so it looks at its channel between two waits.
Writes are made under the lease that the shared page shows: a new lease is followed by a new broker at the
same socket.
"""

from __future__ import annotations

from execsvc.clock import monotonic
from execsvc.settings import Settings
from execsvc.store.opening import BROKER_SOCKET, host_id, lease_page
from execsvc.store.postgresql.address import address_of
from execsvc.store.postgresql.broker import Broker, listen
from execsvc.store.postgresql.connection import connect
from execsvc.store.postgresql.leases import connection_name
from execsvc.workers.channel import Channel, Pipes
from execsvc.workers.main_loop import run_worker

_LONGEST_STEP = 0.5
"""Seconds between two looks at the channel and at the lease."""

_SHORT_STEP = 0.05
"""Seconds between two looks at the lease while this host has none."""


def run_store(settings: Settings, pipes: Pipes) -> int:
    """Run the worker until the supervisor is gone. Returns the exit code."""
    return run_worker(settings, "store", pipes, lambda channel: StoreWorker(settings, channel))


class StoreWorker:
    """A broker under each lease in turn, at one socket."""

    def __init__(self, settings: Settings, channel: Channel) -> None:
        self._channel = channel
        self._address = address_of(settings)
        self._host_id = host_id(settings)
        self._page = lease_page(settings)
        self._listener = listen(settings.runtime_dir / BROKER_SOCKET)
        self._incarnation = ""
        self._broker: Broker | None = None

    def step(self) -> float | None:
        """Serve for a moment; returns the present time, None when no request of the supervisor will come."""
        incarnation = self._page.read().incarnation
        if incarnation != self._incarnation:
            self._incarnation = incarnation
            if self._broker is not None:
                self._broker.close()
            self._broker = self._new_broker() if incarnation else None
        if self._channel.finishing:
            return None
        if self._broker is None:
            return monotonic() + _SHORT_STEP  # requests wait in the queue of the socket
        self._broker.step(_LONGEST_STEP)
        return monotonic()

    def _new_broker(self) -> Broker:
        return Broker(
            self._listener.dup(),
            lambda: connect(self._address, connection_name(self._host_id)),
            self._host_id,
            self._incarnation,
        )
