"""A journald that hangs, is stopped or is not there: nothing is held up, nothing silently lost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from loguru import logger
from support.fake_journal import FakeJournal

from execsvc import logs
from execsvc.logs.output import LONGEST_DELIVERY


@contextmanager
def nobody_reads_stderr() -> Iterator[None]:
    """Stderr is a pipe that is full."""
    kept = os.dup(2)
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while os.write(writer, b"x" * 4096):
            pass
    os.set_blocking(writer, True)
    yield
    os.dup2(kept, 2)
    for descriptor in (kept, reader, writer):
        os.close(descriptor)


def test_journal_read_again_gets_the_count_of_records_left_out(
    journal: FakeJournal,
) -> None:
    with nobody_reads_stderr():
        assert journal.fill()
        for number in range(5):
            logger.info("lost {}", number)
        journal.read()

        logger.info("heard again")

    told, heard = journal.read()
    assert told["MESSAGE"] == "5 lines were left out: no reader took them"
    assert (told["EVENT"], told["PRIORITY"]) == ("lines_left_out", "4")
    assert heard["MESSAGE"] == "heard again"


def hung(journal: FakeJournal) -> None:
    assert journal.fill()


def stopped(journal: FakeJournal) -> None:
    """The socket is there, and no process has it open."""
    journal._socket.close()


@pytest.mark.parametrize("how", [hung, stopped, FakeJournal.close])
def test_record_that_journald_does_not_take_goes_to_stderr(
    journal: FakeJournal, how: Callable[[FakeJournal], None], capfd: pytest.CaptureFixture[str]
) -> None:
    how(journal)

    logs.bound("b-1").error("here")
    logger.info("{}", "x" * 300_000)

    lines = capfd.readouterr().err.splitlines()
    assert lines == ["<3>bot_id=b-1 here", f"<6>{'x' * 300_000}"]


def test_a_journald_that_comes_back_is_used_again(
    journal: FakeJournal, capfd: pytest.CaptureFixture[str]
) -> None:
    logger.info("before")
    journal.close()
    logger.info("meanwhile")
    back = FakeJournal(journal.path)
    logger.info("after")

    assert [entry["MESSAGE"] for entry in back.read()] == ["after"]
    assert capfd.readouterr().err == "<6>meanwhile\n"
    back.close()


def test_a_hung_journald_is_waited_for_once_and_the_processor_is_left_alone(
    journal: FakeJournal,
) -> None:
    journal.fill()
    began, worked = time.monotonic(), time.process_time()

    with nobody_reads_stderr():
        logger.info("the first")
        first = time.monotonic() - began
        for number in range(100):
            logger.info("{}", number)

    assert first >= LONGEST_DELIVERY
    assert time.monotonic() - began < 50 * LONGEST_DELIVERY
    assert time.process_time() - worked < LONGEST_DELIVERY / 2


def open_descriptors() -> set[str]:
    return {str(entry) for entry in Path("/proc/self/fd").iterdir()}


def test_journal_of_a_forking_process_leaves_no_socket(journal: FakeJournal) -> None:
    before = open_descriptors()
    logger.info("x")
    logger.info("{}", "x" * 300_000)

    assert open_descriptors() == before


def test_parent_and_child_both_log(journal: FakeJournal) -> None:
    logger.info("before")
    pid = os.fork()
    if pid == 0:
        logger.info("child")
        os._exit(0)
    os.waitpid(pid, 0)
    logger.info("after")

    assert [entry["MESSAGE"] for entry in journal.read()] == ["before", "child", "after"]
