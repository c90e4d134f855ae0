"""The messages to systemd while the service stops: more time, as long as the stop makes progress."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from support.facts import changed
from support.parts import Parts
from support.settings import settings
from support.stores import store_in

from execsvc.model.position import Position
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.shutdown import KILL_PATIENCE, Shutdown
from execsvc.supervisor.systemd_updates import LEAVING, SystemdUpdates

STEP = 30 + 10 + 8
"""An order, its settlement, and the longest wait before another attempt."""


class Stopping:
    """A service that stops with one position open, and what systemd is told of it."""

    def __init__(self, folder: Path, heard: socket.socket) -> None:
        self._heard = heard
        store = store_in(folder)
        parts = Parts(settings(), store)
        self.context, self.fleet = parts.context, parts.fleet
        self.shutdown = Shutdown(parts.context, parts.records, parts.fleet, parts.bots)
        self.updates = SystemdUpdates(
            parts.context, parts.fleet, self.shutdown, lambda: "1 STOPPING"
        )
        self.tracks("1")

    def tracks(self, quantity: str) -> None:
        self.knows(
            LedgerState(
                bot_id="b1",
                binding=None,
                position=Position(tracked=Decimal(quantity)),
                unsettled=False,
                contested=0,
                failing=False,
            )
        )

    def knows(self, ledger: LedgerState | None) -> None:
        """The bot's ledger is this one."""
        self.fleet.bots["b1"] = changed(Bot("b1", stand_in=True), ledger=ledger)

    def asked(self) -> list[float]:
        """The seconds that were asked for since the last call."""
        self.updates.due()
        self._heard.setblocking(False)
        said = []
        while True:
            try:
                said.append(self._heard.recv(1000).decode())
            except BlockingIOError:
                break
        name = "EXTEND_TIMEOUT_USEC="
        return [int(text.removeprefix(name)) / 1e6 for text in said if text.startswith(name)]


@pytest.fixture
def stopping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stopping]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield Stopping(tmp_path, heard)


def test_nothing_is_asked_for_while_the_service_runs(stopping: Stopping) -> None:
    assert stopping.asked() == []


def test_time_is_asked_for_whenever_something_was_sold(stopping: Stopping) -> None:
    stopping.shutdown.begin(ServiceMode.LIQUIDATE, "TERM")
    assert stopping.asked() == [STEP]
    assert stopping.asked() == []
    stopping.tracks("0.5")
    assert stopping.asked() == [STEP]
    assert stopping.asked() == []


def test_no_more_is_asked_for_than_the_shutdown_has(stopping: Stopping) -> None:
    stopping.shutdown.begin(ServiceMode.LIQUIDATE, "TERM")
    allowed = stopping.context.settings.shutdown_timeout
    stopping.context.clock.now += allowed - 1
    assert stopping.asked() == [pytest.approx(1 + KILL_PATIENCE + LEAVING, abs=0.1)]


def test_a_bot_that_became_flat_is_progress(stopping: Stopping) -> None:
    stopping.shutdown.begin(ServiceMode.LIQUIDATE, "TERM")
    stopping.asked()
    stopping.knows(None)
    assert stopping.asked() == [STEP]
