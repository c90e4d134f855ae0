"""Waits that a stop cuts short, and what a stop means."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from execsvc.clock import monotonic
from execsvc.errors import StopRequested
from execsvc.runner.waits import StopOrder, Waits


class Bench:
    """A Waits with both of its pipes in hand."""

    def __init__(self, hold_when_orphaned: bool) -> None:
        wakeup, self.signals = os.pipe2(os.O_NONBLOCK)
        lifeline, self.lifeline = os.pipe()
        self.beats = 0
        self.waits = Waits(wakeup, lifeline, hold_when_orphaned, self.beat)
        self._open = {wakeup, self.signals, lifeline, self.lifeline}

    def beat(self) -> None:
        self.beats += 1

    def signal(self, *numbers: int) -> None:
        os.write(self.signals, bytes(numbers))

    def orphan(self) -> None:
        self._open.discard(self.lifeline)
        os.close(self.lifeline)

    def stop(self) -> StopOrder | None:
        self.waits.handle_signals(0.0, interruptible=False)
        return self.waits.stop

    def close(self) -> None:
        for descriptor in self._open:
            os.close(descriptor)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(hold_when_orphaned=True)
    yield made
    made.close()


def test_a_stop_ends_a_wait_at_once(bench: Bench) -> None:
    bench.signal(signal.SIGTERM)
    began = monotonic()
    with pytest.raises(StopRequested):
        bench.waits.wait(600.0)
    assert monotonic() - began < 60
    with pytest.raises(StopRequested):
        bench.waits.wait(0.0)


def test_an_uninterrupted_block_waits_to_its_end(bench: Bench) -> None:
    bench.signal(signal.SIGTERM)
    with bench.waits.uninterrupted(), bench.waits.uninterrupted():
        began = monotonic()
        bench.waits.wait(0.05)
        assert monotonic() - began >= 0.05
        bench.waits.heartbeat(interruptible=True)
    with pytest.raises(StopRequested):
        bench.waits.heartbeat(interruptible=True)
    assert bench.beats >= 2


def test_other_signals_are_nothing(bench: Bench) -> None:
    bench.signal(signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)
    bench.waits.wait(0.01)
    assert bench.stop() is None


@pytest.mark.parametrize(
    ("numbers", "name", "hold"),
    [
        ([signal.SIGTERM], "TERM", False),
        ([signal.SIGINT], "INT", False),
        ([signal.SIGUSR2], "USR2", True),
        ([signal.SIGTERM, signal.SIGTERM], "TERM", False),
        ([signal.SIGTERM, signal.SIGUSR2], "USR2", True),
        ([signal.SIGUSR2, signal.SIGTERM], "USR2", True),
    ],
)
def test_what_a_signal_asks_for(bench: Bench, numbers: list[int], name: str, hold: bool) -> None:
    bench.signal(*numbers)
    stop = bench.stop()
    assert stop is not None
    assert (stop.signal, stop.hold) == (name, hold)


@pytest.mark.parametrize("hold", [True, False])
def test_a_lost_supervisor_stops_as_configured(hold: bool) -> None:
    bench = Bench(hold_when_orphaned=hold)
    bench.orphan()
    stop = bench.stop()
    assert stop is not None
    assert (stop.signal, stop.hold) == ("LIFELINE", hold)
    bench.signal(signal.SIGTERM)
    assert bench.stop() == stop
    assert bench.waits.orphaned
    bench.close()


def test_a_stop_that_is_decided_is_not_changed(bench: Bench) -> None:
    bench.signal(signal.SIGTERM)
    assert bench.stop() == StopOrder("TERM", False)
    assert not bench.waits.hold_asked_within(0.0)
    bench.signal(signal.SIGUSR2)
    bench.orphan()
    assert bench.stop() == StopOrder("TERM", False)


def test_word_that_all_of_it_holds_may_come_a_little_later(bench: Bench) -> None:
    bench.signal(signal.SIGTERM)
    bench.stop()
    bench.signal(signal.SIGUSR2)
    assert bench.waits.hold_asked_within(30.0)


def test_a_wait_looks_up_when_somebody_has_something_to_say(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices: list[float] = []
    patience = iter([0.002, 0.001, None, None])
    monkeypatch.setattr(bench.waits, "_beat", lambda: next(patience, None))
    look = bench.waits.handle_signals

    def noted(seconds: float = 0.0, interruptible: bool = True) -> None:
        slices.append(seconds)
        look(seconds, interruptible)

    monkeypatch.setattr(bench.waits, "handle_signals", noted)
    bench.waits.wait(0.05)
    assert slices[:2] == [0.002, 0.001]
    assert 0.001 < slices[2] <= 0.05
