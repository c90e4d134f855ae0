"""The end of a host's epoch: of a dead host by a peer, and of the own one when a host joins."""

from __future__ import annotations

import pytest
from support.host_rows import TIMING, answer, host

from execsvc.hosts.peers import Peers
from execsvc.hosts.placement import ranking
from execsvc.hosts.rows import AccountRecord, BeatAnswer, incarnation_of
from execsvc.hosts.takeover import (
    BeginJoin,
    CloseEpoch,
    ExpireHost,
    FinishJoin,
    TerminateBackends,
    join_steps,
    may_join,
    orphaned,
    steps_of_takeover,
    takeovers,
)

OWNED = AccountRecord("k", "b", 2, 5)


def silent(rows: BeatAnswer) -> Peers:
    """Peers that have seen the rows unchanged from 0 to 12 s."""
    peers = Peers(TIMING)
    for at in range(0, 13, 3):
        peers = peers.answered(rows, at)
    return peers


def test_takeover_bumps_terminates_and_bumps_again() -> None:
    assert steps_of_takeover(host("b", epoch=2, beat=9)) == (
        ExpireHost("b", "b/1", 2, 9),
        TerminateBackends("b", (7,)),
        CloseEpoch("b", 3),
    )


def test_takeover_left_half_way_terminates_again_before_it_closes() -> None:
    assert steps_of_takeover(host("b", epoch=3, closing=True)) == (
        TerminateBackends("b", (7,)),
        CloseEpoch("b", 3),
    )


@pytest.mark.parametrize(
    ("epoch", "closing", "expected"),
    [(2, False, False), (3, True, False), (4, False, True), (9, True, False), (9, False, True)],
)
def test_account_is_orphaned_after_the_second_bump_only(
    epoch: int, closing: bool, expected: bool
) -> None:
    assert orphaned(OWNED, answer(host("b", epoch=epoch, closing=closing))) is expected


def test_account_without_an_owner_or_of_a_removed_host_is_orphaned() -> None:
    assert orphaned(OWNED._replace(owner=None), answer(host("b")))
    assert orphaned(OWNED, answer(host("a")))


def test_dead_host_with_accounts_is_taken_over() -> None:
    dead = host("b", left=-1)
    rows = answer(host("a"), dead, accounts=(OWNED,))

    late = TIMING.ttl + TIMING.beat
    assert takeovers("a", silent(rows), rows, late) == (steps_of_takeover(dead),)
    assert takeovers("a", silent(rows), rows, 11.9) == ()


@pytest.mark.parametrize(
    "rows",
    [
        answer(host("a"), host("b", left=-1)),
        answer(host("a"), host("b", left=-1, epoch=4), accounts=(OWNED,)),
        answer(host("a"), host("b", left=1), accounts=(OWNED,)),
        answer(host("b"), host("a", left=-1), accounts=(OWNED._replace(owner="a"),)),
    ],
    ids=["no accounts", "closed already", "not expired", "the host itself"],
)
def test_host_without_a_need_is_not_taken_over(rows: BeatAnswer) -> None:
    assert takeovers("a", silent(rows), rows, 60) == ()


def test_two_hosts_begin_a_takeover_one_beat_apart() -> None:
    rows = answer(host("a"), host("b", left=-1), host("c"), accounts=(OWNED,))
    first, second = ranking("b", ["a", "c"])

    at_once, later = TIMING.ttl, TIMING.ttl + TIMING.beat
    assert takeovers(first, silent(rows), rows, at_once) != ()
    assert takeovers(second, silent(rows), rows, later - 0.1) == ()
    assert takeovers(second, silent(rows), rows, later) != ()


def test_joining_bumps_terminates_and_bumps_again() -> None:
    assert join_steps("b", "b/2", host("b", epoch=4)) == (
        BeginJoin("b", "b/2", "b/1", 4),
        TerminateBackends("b", (7,)),
        FinishJoin("b", "b/2", 5),
    )


def test_joining_for_the_first_time_begins_at_nothing() -> None:
    assert join_steps("b", "b/1", None) == (
        BeginJoin("b", "b/1", "", 0),
        TerminateBackends("b", ()),
        FinishJoin("b", "b/1", 1),
    )


def test_joining_on_the_same_machine_waits_for_nothing() -> None:
    rows = answer(host("b", incarnation=incarnation_of("machine", "1")))

    assert may_join("b", incarnation_of("machine", "2"), Peers(TIMING), rows, 0)
    assert may_join("new", incarnation_of("machine", "2"), Peers(TIMING), rows, 0)


def test_joining_as_a_host_of_another_machine_waits_until_that_one_is_dead() -> None:
    alive = answer(host("b", incarnation="other/1"))
    dead = answer(host("b", incarnation="other/1", left=-1))

    assert not may_join("b", "machine/1", silent(alive), alive, 60)
    assert not may_join("b", "machine/1", silent(dead), dead, 11.9)
    assert may_join("b", "machine/1", silent(dead), dead, 12)
