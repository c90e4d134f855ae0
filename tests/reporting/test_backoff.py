"""The tries of each key: a key that is refused waits alone, silence makes all keys wait."""

from __future__ import annotations

from execsvc.reporting.backoff import LONGEST_PAUSE, Backoff


def backoff(longest: float = 300.0) -> Backoff:
    return Backoff(longest, lambda: 0.0)


def test_nothing_is_held_against_anybody_at_first() -> None:
    assert backoff().ready("a", 0.0)


def test_a_refusal_is_between_the_two_of_them_and_its_delay_grows() -> None:
    given, now, delays = backoff(), 0.0, []
    for _ in range(12):
        given.refused("a", now)
        assert given.ready("b", now)
        delays.append(given.due("a") - now)
        now = given.due("a")
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert given.succeeded("a")
    assert given.ready("a", now)
    given.refused("a", now)
    assert given.due("a") == now + 1


def test_silence_makes_all_wait_until_anybody_is_answered() -> None:
    given, now, pauses = backoff(), 0.0, []
    for number in range(8):
        key = f"bot {number}"
        given.unanswered(key, now)
        assert given.due("another") == given.due(key)
        pauses.append(given.due(key) - now)
        now = given.due(key)
    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    assert not given.succeeded("another")
    assert all(given.ready(f"bot {number}", now) for number in range(8))


def test_a_service_that_is_away_is_nobodys_fault() -> None:
    given, now = backoff(), 0.0
    for _ in range(100):
        given.unanswered("a", now)
        now = given.due("a")
    given.succeeded("b")
    assert given.ready("a", now)


def test_one_that_alone_gets_no_answer_waits_alone() -> None:
    given, now, delays = backoff(), 0.0, []
    for _ in range(11):
        given.unanswered("a", now)
        assert not given.ready("b", now)
        given.succeeded("b")
        assert given.ready("b", now)
        delays.append(given.due("a") - now)
        now = given.due("a")
    assert delays == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]


def test_a_service_that_wants_to_be_left_alone_is() -> None:
    given = backoff()
    given.unanswered("a", 0.0, 45.0)
    assert (given.due("a"), given.due("b")) == (45.0, 45.0)


def test_what_fails_together_is_not_tried_together() -> None:
    early, late = Backoff(300.0, lambda: 1.0), Backoff(300.0, lambda: 0.0)
    for each in (early, late):
        each.refused("a", 0.0)
    assert (early.due("a"), late.due("a")) == (0.75, 1.0)
