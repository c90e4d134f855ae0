"""The host that an account should be on, and which accounts move."""

from __future__ import annotations

from support.host_rows import TIMING, answer, host

from execsvc.hosts.peers import Peers
from execsvc.hosts.placement import ReleaseAccount, is_due, moves, ranking, takers
from execsvc.hosts.rows import AccountRecord, BeatAnswer, HostRecord

ACCOUNTS = tuple(AccountRecord(f"key-{number}", "a", 2, 1) for number in range(300))
FOR_B = [row for row in ACCOUNTS if ranking(row.key_id, ["a", "b"])[0] == "b"]


def watched(rows: BeatAnswer, seconds: int) -> Peers:
    peers = Peers(TIMING)
    for at in range(0, seconds + 1, 3):
        peers = peers.answered(rows, at)
    return peers


def moved(
    *rows: HostRecord, seen_for: int = 60, busy: tuple[str, ...] = (), budget: int = 9
) -> list[ReleaseAccount]:
    seen = answer(*rows, accounts=ACCOUNTS)
    peers = watched(seen, seen_for)
    return moves("a", ACCOUNTS, peers, seen, seen_for, busy=busy, budget=budget)


def test_ranking_spreads_accounts_over_the_hosts() -> None:
    first = [ranking(row.key_id, ["a", "b", "c"])[0] for row in ACCOUNTS]

    assert min(first.count(name) for name in "abc") > 70


def test_ranking_without_one_host_moves_only_what_was_on_it() -> None:
    for row in ACCOUNTS:
        three = ranking(row.key_id, ["a", "b", "c"])
        assert ranking(row.key_id, ["c", "a"]) == [name for name in three if name != "b"]


def test_ranking_does_not_depend_on_the_process_or_the_order() -> None:
    assert ranking("key", ["a", "b", "c", "d"]) == ["b", "a", "c", "d"]
    assert ranking("key", ["d", "c", "b", "a"]) == ["b", "a", "c", "d"]


def test_takers_are_those_that_neither_drain_nor_are_dead() -> None:
    rows = answer(host("a"), host("b", draining=True), host("c", left=-1))

    assert takers(watched(rows, 9), rows, 9) == ["a", "c"]
    assert takers(watched(rows, 12), rows, 12) == ["a"]


def test_claim_is_due_at_once_for_the_preferred_host_and_later_for_the_others() -> None:
    assert is_due(0, 0, TIMING)
    assert not is_due(5.9, 1, TIMING)
    assert is_due(6, 1, TIMING)
    assert is_due(12, 2, TIMING)


def test_move_goes_to_the_preferred_host_and_keeps_the_budget() -> None:
    assert moved(host("a"), host("b")) == [ReleaseAccount(row) for row in FOR_B[:9]]
    assert moved(host("a"), host("b"), budget=0) == []


def test_move_leaves_busy_accounts() -> None:
    busy = (FOR_B[0].key_id,)

    assert moved(host("a"), host("b"), busy=busy)[0] == ReleaseAccount(FOR_B[1])


def test_move_waits_until_the_other_host_has_been_seen_for_a_minute() -> None:
    assert moved(host("a"), host("b"), seen_for=57) == []


def test_move_leaves_accounts_of_a_host_that_drains_expires_or_closes() -> None:
    assert moved(host("a"), host("b", draining=True)) == []
    assert moved(host("a"), host("b", left=-1)) == []
    assert moved(host("a"), host("b", closing=True)) == []


def test_move_of_a_draining_host_is_all_that_is_not_busy() -> None:
    released = moved(host("a", draining=True), host("b"), seen_for=3, busy=("key-0",))

    assert released == [ReleaseAccount(row) for row in ACCOUNTS[1:]]
