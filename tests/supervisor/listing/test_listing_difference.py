"""The bots that are gone: missing in two successive complete listings, unless most of them are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from execsvc.supervisor.listing.absence import Absence, MassStopGuard, Pending, PollResult

A, B, C = "a", "b", "c"
IDS = st.sets(st.sampled_from("abcdefgh"))


def test_a_listing_with_everybody_is_a_whole_poll() -> None:
    assert Absence().listed({A, B}, {A}) == PollResult(again=False, gone=frozenset())


def test_missing_once_is_asked_again_at_once() -> None:
    absence = Absence()
    assert absence.listed({B}, {A, B}) == PollResult(again=True, gone=None)
    assert absence.listed({B}, {A, B}) == PollResult(again=False, gone=frozenset({A}))


def test_back_in_the_second_listing_is_not_gone() -> None:
    absence = Absence()
    absence.listed({B}, {A, B})
    assert absence.listed({A, B}, {A, B}) == PollResult(again=False, gone=frozenset())


def test_missing_in_the_second_listing_only_is_not_gone_yet() -> None:
    absence = Absence()
    absence.listed({B}, {A, B})
    assert absence.listed({A}, {A, B}).gone == frozenset()
    assert absence.listed({A}, {A, B}) == PollResult(again=True, gone=None)
    assert absence.listed({A}, {A, B}).gone == {B}


def test_somebody_known_only_since_the_first_listing_is_not_gone() -> None:
    absence = Absence()
    absence.listed({B}, {A, B})
    assert absence.listed({B}, {A, B, C}).gone == {A}


@given(st.lists(st.tuples(IDS, IDS), max_size=20))
def test_gone_means_missing_in_two_successive_listings(
    listings: list[tuple[set[str], set[str]]],
) -> None:
    absence, before = Absence(), frozenset[str]()
    for ids, known in listings:
        poll = absence.listed(ids, known)
        missing = frozenset(known - ids)
        assert poll.again == (poll.gone is None)
        if poll.gone:
            assert poll.gone <= missing & before
        before = missing


def bots(count: int, start: int = 0) -> set[str]:
    return {f"b{n}" for n in range(start, start + count)}


def test_few_go_at_once() -> None:
    guard = MassStopGuard(5, 3)
    assert guard.confirmed(bots(4), bots(4)) == bots(4)
    assert guard.confirmed(bots(5), bots(10)) == bots(5)
    assert guard.pending is None


def test_more_than_half_and_at_least_the_threshold_wait_for_three_polls() -> None:
    guard = MassStopGuard(5, 3)
    assert guard.confirmed(bots(6), bots(10)) == set()
    assert guard.pending == Pending(bots=6, of=10, polls=1, needed=3)
    assert guard.confirmed(bots(6), bots(10)) == set()
    assert guard.confirmed(bots(6), bots(10)) == bots(6)
    assert guard.pending is None


def test_exactly_the_threshold_of_less_than_twice_as_many_waits() -> None:
    assert MassStopGuard(5, 3).confirmed(bots(5), bots(9)) == set()


def test_those_go_that_all_polls_lacked() -> None:
    guard = MassStopGuard(5, 3)
    guard.confirmed(bots(8), bots(10))
    guard.confirmed(bots(8, start=2), bots(10))
    assert guard.pending == Pending(bots=6, of=10, polls=2, needed=3)
    assert guard.confirmed(bots(8), bots(10)) == bots(6, start=2)


def test_a_poll_without_a_mass_stop_begins_anew() -> None:
    guard = MassStopGuard(5, 3)
    guard.confirmed(bots(10), bots(10))
    guard.confirmed(bots(10), bots(10))
    assert guard.confirmed(bots(2), bots(10)) == bots(2)
    assert guard.pending is None
    assert guard.confirmed(bots(10), bots(10)) == set()


def test_bots_with_nothing_at_stake_do_not_count_but_wait_as_well() -> None:
    guard = MassStopGuard(5, 2)
    assert guard.confirmed(bots(20), bots(4)) == bots(20)
    assert guard.confirmed(bots(20), bots(6)) == set()
    assert guard.confirmed(bots(20), bots(6)) == bots(20)


def test_one_confirmation_lets_everything_through() -> None:
    assert MassStopGuard(5, 1).confirmed(bots(10), bots(10)) == bots(10)


@given(
    polls=st.lists(st.tuples(IDS, IDS), max_size=20),
    threshold=st.integers(1, 6),
    confirmations=st.integers(1, 4),
)
def test_a_mass_stop_needs_its_confirmations(
    polls: list[tuple[set[str], set[str]]], threshold: int, confirmations: int
) -> None:
    guard = MassStopGuard(threshold, confirmations)
    run: list[set[str]] = []
    for gone, population in polls:
        stopped = guard.confirmed(gone, population)
        at_stake = gone & population
        assert stopped <= gone
        if len(at_stake) < threshold or 2 * len(at_stake) <= len(population):
            assert stopped == gone
            run = []
            continue
        run.append(gone)
        if len(run) < confirmations:
            assert not stopped
            assert guard.pending is not None
            assert guard.pending.polls == len(run)
        else:
            assert stopped == set.intersection(*run)
            run = []
        assert (guard.pending is None) == (run == [])
