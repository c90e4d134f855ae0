"""Alerts from the supervisor to the process that sends them, on a clock that the test moves."""

from __future__ import annotations

import fcntl
import os
import selectors
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.facts import HELD, bot, facts, ledger
from support.settings import settings
from support.stores import store_in

from execsvc.alerts.messages import Delivered, DeliveryJob
from execsvc.alerts.sent_alerts import SentAlerts
from execsvc.alerts.tracker import GATHER, SETTLING
from execsvc.model.condition import Kind
from execsvc.supervisor.alert_dispatch import AlertDispatch
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.processes.child import Child, Children
from execsvc.supervisor.processes.context import ProcessContext

LEFT = "2 positions are left open"


class Sender(Children):
    """The process that sends, played by the test: its ends of the two pipes."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: list[int] = []

    def fork(self, work: Callable[[], int], keep: Collection[int]) -> Child:
        reads = [end for end in keep if fcntl.fcntl(end, fcntl.F_GETFL) & os.O_ACCMODE == 0]
        (read,) = reads
        (write,) = set(keep) - {read}
        self._ends = [os.dup(read), os.dup(write)]
        os.set_blocking(self._ends[0], False)
        return cast(Child, SimpleNamespace(pid=-1))

    def kill(self, child: Child) -> None:
        for end in self._ends:
            os.close(end)

    def jobs(self) -> list[DeliveryJob]:
        """The jobs handed over since the last call; all of them are delivered at once."""
        self._say(b"")  # a heartbeat
        try:
            lines = os.read(self._ends[0], 65536).splitlines()
        except BlockingIOError:
            return []
        found = [DeliveryJob.model_validate_json(line) for line in lines]
        for job in found:
            self._say(Delivered(number=job.number, target=1).model_dump_json().encode())
        return found

    def _say(self, line: bytes) -> None:
        os.write(self._ends[1], line + b"\n")


class Service:
    """A service that has just started, as far as alerts see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bots: list[Bot] = []
        self.sender = Sender()
        made = settings(state_dir=str(folder), alert_urls="json://127.0.0.1:1/")
        store = store_in(folder)
        self.context = ProcessContext(made, cast(Any, self.sender))
        self._selector = selectors.DefaultSelector()
        self.alerts = AlertDispatch(self.context, store, self._selector, lambda: facts(*self.bots))

    def live(self, seconds: float) -> list[str]:
        """Let time pass; the titles that were sent meanwhile, without the name of the sender."""
        titles = []
        for _ in range(int(seconds)):
            self.context.clock.now += 1
            self.alerts.check()
            titles += [job.title.partition(": ")[2] for job in self.sender.jobs()]
            self.alerts.channel.due()
        return titles

    def close(self) -> None:
        self.alerts.channel.stop()
        self._selector.close()


def open_bot(bot_id: str) -> Bot:
    """A bot that nothing runs, with a position."""
    return bot(bot_id=bot_id, ledger=ledger(bot_id=bot_id, position=HELD))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service that has just started, after one that stopped and left two positions open."""
    two = [open_bot("b0"), open_bot("b1")]
    before = Service(tmp_path)
    before.alerts.start()
    before.alerts.send_last(two)
    (job,) = before.sender.jobs()
    assert job.title.endswith("stopped and left 2 positions open")
    before.alerts.channel.due()
    before.close()
    assert SentAlerts(store_in(tmp_path).sent_alerts()).of(Kind.LEFT) == {"b0", "b1"}
    made = Service(tmp_path)
    made.bots = two
    made.alerts.start()
    yield made
    made.close()


def test_positions_left_open_that_are_closed_after_the_start_are_said_to_be_over(
    service: Service,
) -> None:
    assert service.live(5) == []
    service.bots = []
    assert service.live(SETTLING) == []
    assert service.live(GATHER + 2) == [f"over: {LEFT}"]
    assert SentAlerts(store_in(service.folder).sent_alerts()).by_key == {}


def test_positions_left_open_that_stay_open_are_not_said_again(service: Service) -> None:
    assert service.live(2 * SETTLING) == []
    assert SentAlerts(store_in(service.folder).sent_alerts()).of(Kind.LEFT) == {"b0", "b1"}


def test_an_alert_whose_delivery_the_service_did_not_live_to_see_gets_its_end(
    tmp_path: Path,
) -> None:
    before = Service(tmp_path)
    before.alerts.start()
    before.alerts.send_last([open_bot("b0")])
    assert len(before.sender.jobs()) == 1  # an address has it, and the service dies
    before.close()
    after = Service(tmp_path)
    after.alerts.start()
    assert after.live(SETTLING) == []
    assert after.live(GATHER + 2) == ["over: a position is left open"]
    after.close()
