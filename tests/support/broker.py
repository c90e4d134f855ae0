"""A broker of the tests, in a thread of this process, on a PostgreSQL of the tests."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from execsvc.store.postgresql.address import Address, address
from execsvc.store.postgresql.broker import Broker, listen
from execsvc.store.postgresql.client import BrokerClient
from execsvc.store.postgresql.connection import DatabaseConnection, connect
from execsvc.store.postgresql.leases import connection_name


class RunningBroker:
    """A broker under the lease of ``host_id``, until :meth:`stop`."""

    def __init__(
        self,
        url: str,
        host_id: str,
        incarnation: str,
        connecting: Callable[[Address, str], DatabaseConnection] = connect,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="execsvc-broker-"))
        self.path = self._folder / "store.sock"
        place = address(url)
        self.broker = Broker(
            listen(self.path),
            lambda: connecting(place, connection_name(host_id)),
            host_id,
            incarnation,
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker")
        self._clients: list[BrokerClient] = []
        self._thread.start()

    def client(self, timeout: float = 10.0) -> BrokerClient:
        """A client of this broker, closed with it."""
        self._clients.append(BrokerClient(self.path, timeout))
        return self._clients[-1]

    def stop(self) -> None:
        """End the broker, its connections and its socket."""
        self._stopping.set()
        self._thread.join()
        for client in self._clients:
            client.close()
        shutil.rmtree(self._folder)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.broker.step(0.05)
        self.broker.close()
