"""A worker's end of its channel, and its main loop, with the supervisor's ends in the hands of the test."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from threading import Thread

import pytest

from execsvc.clock import SimulatedClock, installed, monotonic
from execsvc.errors import StopRequested
from execsvc.workers.channel import BEAT, SHORTEST_SILENCE, Channel, Pipes


class Supervisor:
    """The supervisor's ends of the two pipes and of the lifeline."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.open: set[int] = set()
        lifeline, self.lifeline = self._pipe()
        requests, self.requests = self._pipe()
        self.answers, answers = self._pipe()
        os.set_blocking(self.answers, False)
        self.channel = Channel(Pipes(lifeline, requests, answers))

    def ask(self, text: bytes) -> None:
        os.write(self.requests, text)

    def heard(self) -> bytes:
        """All that the worker has written since the last call."""
        try:
            return os.read(self.answers, 1 << 20)
        except BlockingIOError:
            return b""

    def close(self, descriptor: int) -> None:
        self.open.remove(descriptor)
        os.close(descriptor)

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe2(os.O_CLOEXEC)
        self.open |= set(ends)
        return ends


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    clock = SimulatedClock(datetime(2026, 1, 1, tzinfo=timezone.utc), 100.0)
    with installed(clock):
        made = Supervisor(clock)
        yield made
    for descriptor in list(made.open):
        made.close(descriptor)


def test_requests_are_whole_lines_each_taken_once(supervisor: Supervisor) -> None:
    supervisor.ask(b"one\ntwo\nthr")
    supervisor.channel.heartbeat()
    assert supervisor.channel.requests() == [b"one", b"two"]
    supervisor.ask(b"ee\n")
    supervisor.channel.wait(float("inf"))
    assert supervisor.channel.requests() == [b"three"]
    assert supervisor.channel.requests() == []


def test_wait_with_a_request_that_was_read_before_ends_at_once(supervisor: Supervisor) -> None:
    supervisor.ask(b"one\n")
    supervisor.channel.heartbeat()
    began = time.monotonic()
    supervisor.channel.wait(float("inf"))
    assert time.monotonic() - began < BEAT / 2
    assert supervisor.channel.requests() == [b"one"]


def test_wait_until_a_time_that_has_passed_still_reads(supervisor: Supervisor) -> None:
    supervisor.ask(b"one\n")
    supervisor.channel.wait(monotonic())
    assert supervisor.channel.requests() == [b"one"]


def test_end_of_the_requests_ends_the_wait_and_is_no_end_of_the_supervisor(
    supervisor: Supervisor,
) -> None:
    supervisor.ask(b"last\n")
    supervisor.close(supervisor.requests)
    supervisor.channel.wait(float("inf"))
    assert supervisor.channel.requests() == [b"last"]
    supervisor.channel.wait(float("inf"))
    assert supervisor.channel.finishing
    assert supervisor.channel.requests() == []
    waiting = Thread(target=supervisor.channel.wait, args=(monotonic() + 0.2,))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive(), "it ends once"
    supervisor.clock.advance(0.2)
    waiting.join()


def test_lifeline_that_ends_stops_every_wait(supervisor: Supervisor) -> None:
    supervisor.ask(b"one\n")
    supervisor.close(supervisor.lifeline)
    with pytest.raises(StopRequested):
        supervisor.channel.heartbeat()
    with pytest.raises(StopRequested):
        supervisor.channel.wait(monotonic())


def test_heartbeat_comes_at_once_then_after_each_silence(supervisor: Supervisor) -> None:
    channel = supervisor.channel
    channel.heartbeat()
    assert supervisor.heard() == b"\n"
    supervisor.clock.advance(BEAT - 0.1)
    channel.heartbeat()
    assert supervisor.heard() == b""
    channel.send(b"answer\n")
    supervisor.clock.advance(BEAT - 0.1)
    channel.heartbeat()
    assert supervisor.heard() == b"answer\n", "an answer is a sign of life as well"
    supervisor.clock.advance(0.1)
    channel.heartbeat()
    assert supervisor.heard() == b"\n"


def test_state_is_written_when_it_changes_but_not_too_often(supervisor: Supervisor) -> None:
    channel = supervisor.channel
    for state in (b"1\n", b"2\n", b"3\n"):
        channel.show(state)
    assert supervisor.heard() == b"1\n"
    supervisor.clock.advance(SHORTEST_SILENCE)
    channel.heartbeat()
    assert supervisor.heard() == b"3\n"
    supervisor.clock.advance(BEAT)
    channel.heartbeat()
    assert supervisor.heard() == b"3\n"


def test_state_that_has_no_room_in_the_pipe_blocks_nobody_and_comes_later(
    supervisor: Supervisor,
) -> None:
    channel = supervisor.channel
    line = b"x" * 4095 + b"\n"
    for _ in range(16):
        channel.send(line)
    supervisor.clock.advance(BEAT)
    channel.show(b"state\n")
    assert supervisor.heard() == 16 * line
    channel.heartbeat()
    assert supervisor.heard() == b"state\n"


def test_answer_longer_than_the_pipe_is_written_whole(supervisor: Supervisor) -> None:
    answer = b"x" * 300_000 + b"\n"
    pid = os.fork()
    if pid == 0:
        supervisor.channel.send(answer)
        os._exit(0)
    os.set_blocking(supervisor.answers, True)
    heard = b""
    while len(heard) < len(answer):
        heard += supervisor.heard()
    assert heard == answer
    assert os.waitpid(pid, 0)[1] == 0


def test_supervisor_that_reads_no_answers_is_noticed(supervisor: Supervisor) -> None:
    supervisor.close(supervisor.answers)
    with pytest.raises(BrokenPipeError):
        supervisor.channel.heartbeat()
