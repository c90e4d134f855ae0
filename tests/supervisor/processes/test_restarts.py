"""Back-off and limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from execsvc.supervisor.processes.restarts import CALM, Restarts


def restarts(limit: int | None = 100, window: float = 300.0, jitter: float = 1.0) -> Restarts:
    return Restarts(limit, window, jitter=lambda: jitter)


def test_first_restart_comes_at_once_then_doubling_up_to_a_minute() -> None:
    r = restarts()
    delays = [r.crashed(float(n)) for n in range(10)]
    assert delays == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_jitter_shortens_by_a_quarter_at_most() -> None:
    r = restarts(jitter=0.0)
    assert [r.crashed(0.0) for _ in range(4)] == [0, 0.75, 1.5, 3]


def test_one_crash_more_than_the_limit_within_the_window_gives_up() -> None:
    r = restarts(limit=5)
    assert [r.crashed(float(n)) is None for n in range(6)] == [False] * 5 + [True]


def test_crashes_outside_of_the_window_do_not_count() -> None:
    r = restarts(limit=2, window=100)
    for n in range(20):
        assert r.crashed(n * 51.0) is not None
    assert r.crashed(19 * 51.0 + 1) is None


def test_a_limit_of_zero_gives_up_at_the_first_crash() -> None:
    assert restarts(limit=0).crashed(0.0) is None


def test_without_a_limit_it_never_gives_up() -> None:
    r = restarts(limit=None)
    assert all(r.crashed(0.0) is not None for _ in range(2000))


def test_a_tiny_window_does_not_spin() -> None:
    r = restarts(limit=5, window=0.01)
    delays = [r.crashed(float(n)) for n in range(5)]
    assert delays == [0, 1, 2, 4, 8]


def test_after_a_calm_time_the_next_crash_is_a_first_one() -> None:
    r = restarts(window=10.0)
    r.crashed(0.0)
    r.crashed(1.0)
    assert r.crashed(1.0 + CALM + 1.0) == 0.0


def test_forgetting_makes_the_next_crash_a_first_one() -> None:
    r = restarts(limit=1)
    r.crashed(0.0)
    r.forget()
    assert r.crashed(1.0) == 0.0


@given(
    gaps=st.lists(st.floats(0, 1000), max_size=60),
    limit=st.integers(0, 10),
    window=st.floats(0.1, 1000),
)
def test_never_more_than_the_limit_of_restarts_within_a_window(
    gaps: list[float], limit: int, window: float
) -> None:
    r = restarts(limit, window)
    now, restarted = 0.0, []
    for gap in gaps:
        now += gap
        delay = r.crashed(now)
        if delay is not None:
            assert 0 <= delay <= 60
            restarted.append(now)
        assert sum(now - moment <= window for moment in restarted) <= limit
