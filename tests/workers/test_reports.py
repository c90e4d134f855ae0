"""The whole worker without its process: what it is asked, and what BotService hears of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from loguru import logger
from support.bot_service_wire import Dead, Wire
from support.outboxes import AT, World
from support.settings import settings
from support.store_files import BOTS, REPORTS, file_stem, kept_sessions
from support.stores import store_in

from execsvc.clients.bot_reports import BotReports
from execsvc.clients.bot_sessions import BotSessions
from execsvc.clock import SimulatedClock, installed
from execsvc.reporting.lifecycle import REPORTS_FIRST, RESEND_AFTER
from execsvc.reporting.outbox_sender import LONGEST_DELAY
from execsvc.workers.reports import RETRY, ReportingWorker, ReportRequest, ReportState

WAITED = 5.0
"""Seconds [s] for which an answer is waited for."""
NO_DATABASE = b"no database, but longer than a header of one " * 100


class Asked:
    """The requests of a test, and the latest state; no process is there."""

    finishing = False

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.state = ReportState()

    def ask(self, request: ReportRequest) -> None:
        self.waiting.append(request.model_dump_json().encode())

    def requests(self) -> list[bytes]:
        taken, self.waiting = self.waiting, []
        return taken

    def show(self, state: bytes) -> None:
        """Keep the latest state."""
        self.state = ReportState.model_validate_json(state)

    def send(self, line: bytes) -> None:
        """Drop the line: no test reads it."""


class Worker:
    """A worker over a state directory, and BotService with the row of one bot."""

    def __init__(self, folder: Path, clock: SimulatedClock) -> None:
        self.folder, self.clock = folder, clock
        self.wire = Wire()
        self.channel: Any = Asked()
        self.bots = self.wire.sandbox.state.bots
        self.bots.replace([{"id": "b", "status": "RUNNING"}])
        self.begin()

    def begin(self) -> None:
        """A process that knows nothing but what is on the disk."""
        made = settings(state_dir=str(self.folder), poll_interval="1", request_timeout=str(WAITED))
        self._worker = ReportingWorker(
            made, BotReports(self.wire), BotSessions(self.wire), self.channel
        )

    def killed(self) -> None:
        """The process is killed, and another one begins."""
        self._worker._deliveries.close()
        self.begin()

    def work(self, seconds: float = 0.0) -> None:
        """All that is due within so many seconds, the stop asked for at each listing."""
        until = self.clock.monotonic() + seconds
        while True:
            if self.status == "BOOTING":
                self.channel.ask(ReportRequest(bot_id="b", report="start", status="BOOTING"))
            if self.status == "STOPPING":
                self.channel.ask(ReportRequest(bot_id="b", report="stop", status="STOPPING"))
            for _ in range(10):
                self._worker.step()
            if self.clock.monotonic() >= until:
                return
            self.clock.advance(1.0)

    @property
    def status(self) -> Any:
        row = self.bots.get("b")
        assert row is not None
        return row["status"]

    def sessions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.wire.sandbox.state.sessions.tables()["sessions"]
        return found

    def boot(self) -> None:
        self.bots.change("b", {"status": "BOOTING"})

    def die_of_a_start(self) -> None:
        """BotService has the report of a start, and takes its time; the process that sent it is killed."""
        self.boot()
        self.wire.always["/start"] = "die"
        with pytest.raises(Dead):
            self.work()
        self.wire.always.clear()
        self.killed()

    def stop(self) -> None:
        self.bots.change("b", {"status": "STOPPING"})


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    clock = SimulatedClock(AT, 100.0)
    with installed(clock):
        yield Worker(tmp_path, clock)


def test_session_of_the_first_thing_that_is_asked_is_kept(worker: Worker) -> None:
    with closing(store_in(worker.folder).bot("b", reports=True)) as ledger:
        ledger.open()
        ledger.note_start(booting=True)
    worker.boot()
    worker.work()
    (session,) = worker.sessions()
    assert kept_sessions(worker.folder) == [session["id"]]


def test_log_has_a_bot_s_name_beside_its_id(worker: Worker) -> None:
    world = World(worker.folder)
    world.deliveries.close()
    world.trade("b")
    worker.wire.always |= {"/orders": "400", "/stop": "500"}
    records: list[Any] = []
    sink = logger.add(lambda message: records.append(message.record), format="{message}")  # type: ignore[attr-defined]
    try:
        worker.channel.ask(ReportRequest(changed="b", name="My bot"))
        worker.work()
        worker.stop()
        worker.work(REPORTS_FIRST + 1)
        worker.wire.always.clear()
        worker.work(LONGEST_DELAY)
    finally:
        logger.remove(sink)
    world.close()
    said = {record["extra"].pop("event"): record["extra"] for record in records}
    told = ("report_failed", "report_recovered", "bot_word_failed", "bot_stop_told")
    assert said == {event: {"bot_id": "b", "bot_name": "My bot"} for event in told}


def test_start_that_may_still_be_carried_out_is_sent_by_no_later_process(worker: Worker) -> None:
    worker.die_of_a_start()
    worker.work(WAITED + RESEND_AFTER - 2)
    assert worker.status == "BOOTING"
    worker.killed()
    worker.work(1)
    assert worker.status == "BOOTING"
    worker.work(1)
    assert worker.status == "RUNNING"
    assert len(worker.sessions()) == 1


def test_start_of_a_clock_that_was_set_back_since_is_not_waited_for_longer(
    worker: Worker,
) -> None:
    worker.die_of_a_start()
    with closing(sqlite3.connect(worker.folder / REPORTS, isolation_level=None)) as other:
        other.execute("UPDATE fact SET value='2126-01-01T00:00:00.000Z'")
    worker.killed()
    worker.work(WAITED + RESEND_AFTER)
    assert worker.status == "RUNNING"


@pytest.mark.parametrize("fate", ["ok", "400", "unsent"])
def test_start_that_was_decided_keeps_no_later_process_from_sending_one(
    worker: Worker, fate: str
) -> None:
    worker.boot()
    worker.wire.always["/start"] = fate
    worker.work()
    worker.wire.always.clear()
    worker.boot()
    worker.killed()
    worker.work()
    assert worker.status == "RUNNING"


@pytest.mark.parametrize("sql", ["DROP TABLE fact", "UPDATE fact SET value='soon'"])
def test_start_waits_for_no_note_that_cannot_be_read(worker: Worker, sql: str) -> None:
    worker.die_of_a_start()
    with closing(sqlite3.connect(worker.folder / REPORTS, isolation_level=None)) as other:
        other.execute(sql)
    worker.killed()
    worker.work()
    assert worker.status == "RUNNING"
    assert worker.channel.state.last_error is None, "reports are made all the same"


def test_stop_waits_for_no_reports_where_their_file_is_damaged(worker: Worker) -> None:
    (worker.folder / REPORTS).write_bytes(NO_DATABASE)
    worker.stop()
    worker.work()
    assert worker.status == "STOPPED"


def test_stop_waits_for_no_reports_of_a_ledger_that_is_damaged(worker: Worker) -> None:
    (worker.folder / BOTS).mkdir()
    (worker.folder / BOTS / f"{file_stem('b')}.db").write_bytes(NO_DATABASE)
    worker.stop()
    worker.work()
    assert worker.status == "STOPPED"


def test_stop_waits_for_no_reports_once_their_file_cannot_be_read_any_more(
    worker: Worker,
) -> None:
    worker.work()
    with closing(sqlite3.connect(worker.folder / REPORTS)) as other:
        other.execute("DROP TABLE mark")
    worker.stop()
    worker.work()
    assert worker.status == "STOPPED"


def test_stop_waits_for_reports_while_another_process_has_their_file(worker: Worker) -> None:
    other = store_in(worker.folder).deliveries()
    other.open()
    worker.stop()
    worker.work(REPORTS_FIRST / 2)
    assert worker.status == "STOPPING"
    other.close()
    worker.work(RETRY)
    assert worker.status == "STOPPED"
