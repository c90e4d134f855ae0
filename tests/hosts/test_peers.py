"""Other hosts: silence by this host's own clock, and death by both clocks."""

from __future__ import annotations

import pytest
from support.host_rows import TIMING, answer, host

from execsvc.hosts.peers import Peers
from execsvc.hosts.rows import BeatAnswer, HostRecord


def watched(*seen: tuple[float, BeatAnswer]) -> Peers:
    peers = Peers(TIMING)
    for received, rows in seen:
        peers = peers.answered(rows, received)
    return peers


def silent(row: HostRecord, until: int = 12) -> Peers:
    """Peers that have seen ``row`` unchanged every 3 s from 0 to ``until``."""
    return watched(*((float(at), answer(row)) for at in range(0, until + 1, 3)))


@pytest.mark.parametrize(
    ("left", "now", "dead"), [(-1, 12, True), (0, 12, True), (-1, 11.9, False), (1, 60, False)]
)
def test_peer_is_dead_only_by_both_clocks(left: float, now: float, dead: bool) -> None:
    row = host("b", left=left)

    assert silent(row).dead(answer(row), row, now) is dead


def test_peer_that_was_never_seen_is_not_dead() -> None:
    row = host("b", left=-1)

    assert not Peers(TIMING).dead(answer(row), row, 1000)
    assert Peers(TIMING).silent_for("b", 1000) == 0
    assert Peers(TIMING).settled_for("b", 1000) == 0


def test_peer_with_a_beat_is_silent_from_its_receipt() -> None:
    peers = watched((0, answer(host("b"))), (3, answer(host("b", beat=2))))

    assert peers.silent_for("b", 5) == 2


def test_peer_in_a_new_life_with_the_same_beat_is_not_silent() -> None:
    peers = watched((0, answer(host("b"))), (3, answer(host("b", incarnation="b/2"))))

    assert peers.silent_for("b", 5) == 2


def test_peer_whose_epoch_another_host_bumped_stays_silent() -> None:
    peers = watched((0, answer(host("b"))), (3, answer(host("b", epoch=3, closing=True))))

    assert peers.silent_for("b", 5) == 5


@pytest.mark.parametrize(("gap", "silence"), [(7.9, 7.9), (8, 0)])
def test_peer_seen_after_an_outage_of_the_store_gets_a_full_ttl(gap: float, silence: float) -> None:
    peers = watched((0, answer(host("b"))), (gap, answer(host("b"))))

    assert peers.silent_for("b", gap) == silence


def test_peer_that_stops_draining_is_settled_from_then_on() -> None:
    drained = answer(host("b", draining=True))
    peers = watched((0, drained), (3, drained), (6, answer(host("b", beat=9))))

    assert peers.settled_for("b", 10) == 4


def test_peer_that_beats_stays_settled() -> None:
    peers = watched((0, answer(host("b"))), (3, answer(host("b", beat=2))))

    assert peers.settled_for("b", 5) == 5


def test_peer_whose_row_is_gone_is_forgotten() -> None:
    assert watched((0, answer(host("b"))), (3, answer())).silent_for("b", 9) == 0
