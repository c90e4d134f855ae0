"""The handling of the errors of a tick."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from execsvc.errors import Banned, LedgerFailed, OrderRefused, StopRequested, Unavailable
from execsvc.runner import control_loop
from execsvc.runner.control_loop import LONGEST_UNCHECKED, ControlLoop, LoopStep, StrategyGaveUp
from execsvc.runner.counts import Counts
from execsvc.runner.report import Snapshot


class Bench:
    """A loop whose time passes only in its own waits, and that is stopped after its script."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.elapsed = 0.0
        self.script: list[BaseException | float | None] = []
        self.ticked_at: list[float] = []
        self.looked_at: list[float] = []
        self.looks: list[float | str] = []
        """The seconds that the next checks take, or the fault that they find."""
        self.fault: str | None = None
        self.said: list[tuple[str, str]] = []
        self.tracebacks = 0
        self.unread: list[bool] = []
        self.snapshot = Snapshot()
        self.counts = Counts()
        monkeypatch.setattr(control_loop, "monotonic", lambda: self.elapsed)
        self.start(5.0)

    def start(self, interval: float, looks: bool = False) -> None:
        services: Any = SimpleNamespace(
            bot_id="b1",
            record=SimpleNamespace(log=self.say, traceback=self.traceback),
            reporter=self,
            waits=SimpleNamespace(wait=self.wait),
        )
        self.loop = ControlLoop(services, interval, checks=looks)

    def run(self) -> None:
        """As the runner of a bot does."""
        for step in self.loop.steps():
            if step is LoopStep.CHECK:
                self.loop.checked(self.look())
                continue
            with self.loop.tick as tick:
                tick.error = self.tick()

    def wait(self, seconds: float) -> None:
        self.elapsed += max(seconds, 0.0)

    def say(self, level: str, event: str, text: str) -> None:
        self.said.append((event, text))

    def traceback(self, event: str, text: str, error: BaseException) -> None:
        self.tracebacks += 1

    def update(self, **changes: Any) -> None:
        self.snapshot = self.snapshot.model_copy(update=changes)

    def ticked(self, began: float, unread: bool) -> None:
        self.unread.append(unread)

    def look(self) -> str | None:
        self.looked_at.append(self.elapsed)
        found = self.looks.pop(0) if self.looks else None
        if isinstance(found, float):
            self.elapsed += found
            return None
        return found

    def tick(self) -> str | None:
        self.ticked_at.append(self.elapsed)
        step = self.script.pop(0) if self.script else StopRequested("TERM")
        if isinstance(step, float):
            self.elapsed += step
        elif step is not None:
            raise step
        return self.fault


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def run(bench: Bench, *script: BaseException | float | None) -> None:
    bench.script = list(script)
    with pytest.raises(StopRequested):
        bench.run()


def test_ten_exceptions_in_a_row_are_the_end(bench: Bench) -> None:
    bench.script = [ValueError(str(n)) for n in range(20)]
    with pytest.raises(StrategyGaveUp, match="10 times in a row"):
        bench.run()
    assert len(bench.ticked_at) == bench.tracebacks == 10
    assert bench.snapshot.consecutive_errors == 10
    assert bench.snapshot.ticks == 10


def test_a_good_tick_begins_the_count_anew(bench: Bench) -> None:
    run(bench, *[ValueError()] * 9, None, *[ValueError()] * 9)
    assert bench.snapshot.consecutive_errors == 9


def test_a_failed_read_is_no_error_of_the_strategy(bench: Bench) -> None:
    run(bench, *[Unavailable("GET /balance: down")] * 15, OrderRefused("too small"))
    assert bench.snapshot.consecutive_errors == 0
    assert bench.snapshot.last_error == "too small"
    assert bench.tracebacks == 0


def test_skipped_ticks_are_said_once_a_minute_with_a_count(bench: Bench) -> None:
    run(bench, *[Unavailable(f"GET /balance: try {n}") for n in range(40)])
    texts = [text for event, text in bench.said if event == "tick_skipped"]
    assert texts[0] == "tick skipped: GET /balance: try 0"
    assert all("(12 times)" in text or "(13 times)" in text for text in texts[1:])
    assert len(texts) in (3, 4)


def test_ban_is_an_error_of_the_bot_and_no_line_of_its_log(bench: Bench) -> None:
    run(bench, Banned("GET /balance: banned"), Unavailable("down"), OrderRefused("no"), None)
    assert [text for _, text in bench.said] == ["tick skipped: down", "tick skipped: no"]
    assert bench.unread == [True, True, False, False]


def test_a_failed_ledger_is_nothing_to_go_on_with(bench: Bench) -> None:
    bench.script = [LedgerFailed("disk full")]
    with pytest.raises(LedgerFailed):
        bench.run()


def test_the_first_tick_is_at_once_and_the_others_on_a_grid(bench: Bench) -> None:
    run(bench, None, 1.0, 4.9, None)
    first, second, *rest = bench.ticked_at
    assert first == 0
    assert 1.2 <= second <= 6.3
    assert [at - second for at in rest] == pytest.approx([5.0, 10.0, 15.0])


def test_a_tick_that_takes_too_long_skips_and_does_not_bunch(bench: Bench) -> None:
    run(bench, None, 17.0, None, None)
    _, second, *rest = bench.ticked_at
    assert [at - second for at in rest] == pytest.approx([20.0, 25.0, 30.0])


@pytest.mark.parametrize("interval", [6.0, 60.0, 3600.0])
def test_looks_between_ticks_are_five_seconds_apart_at_most(bench: Bench, interval: float) -> None:
    bench.start(interval, looks=True)
    bench.looks = [0.5, 2.0, 4.9]
    run(bench, None, 3.0, None)
    seen = sorted(bench.ticked_at + bench.looked_at)
    assert len(bench.looked_at) > 0
    assert max(b - a for a, b in pairwise(seen)) <= LONGEST_UNCHECKED + 1e-9


def test_a_look_or_a_tick_that_takes_too_long_is_followed_by_a_look_at_once(bench: Bench) -> None:
    bench.start(60.0, looks=True)
    bench.looks = [12.0, 0.0, 0.0]
    run(bench, 7.0, None)
    assert bench.looked_at[:3] == [7.0, 19.0, 24.0]


def test_no_look_between_ticks_that_are_close_or_without_one(bench: Bench) -> None:
    bench.start(0.5, looks=True)
    run(bench, *[None] * 20)
    assert bench.looked_at == []
    bench.start(3600.0)
    run(bench, None, None)
    assert bench.looked_at == []


def test_what_a_look_finds_wrong_is_shown_until_the_next_one_finds_nothing(bench: Bench) -> None:
    shown: list[str | None] = []
    bench.update = lambda **changes: shown.append(changes["last_error"])  # type: ignore[method-assign]
    bench.start(16.0, looks=True)
    bench.fault, bench.looks = "of the tick", ["of the look"]
    bench.script = [None]
    with pytest.raises(StopRequested):
        bench.run()
    assert shown[:2] == ["of the tick", "of the look"]
    assert set(shown[2:]) <= {"of the tick", None}
