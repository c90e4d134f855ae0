"""One host in the cluster: what it believes after each answer, and what it does next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.host_rows import NOW, TIMING, answer, host, member

from execsvc.hosts.lease import LeaseState
from execsvc.hosts.membership import (
    AcknowledgeTimeline,
    DistrustTimeline,
    HostPlan,
    Membership,
)
from execsvc.hosts.placement import ReleaseAccount, TakeAccount, ranking
from execsvc.hosts.rows import AccountRecord, BeatAnswer, OpenIntent
from execsvc.hosts.takeover import steps_of_takeover

MINE = AccountRecord("k", "a", 2, 5)
INTENT = OpenIntent("k", "one", "IN_FLIGHT", NOW)


def seen(of: Membership, rows: BeatAnswer, *moments: float) -> Membership:
    """The member after an answer at each moment."""
    for at in moments:
        of = of.answered(rows, at, at)
    return of


def plan(
    of: Membership, now: float, wanted: tuple[str, ...] = (), busy: tuple[str, ...] = ()
) -> HostPlan:
    return of.decided(now, wanted, busy)[1]


def test_member_that_has_not_joined_may_nothing() -> None:
    fresh = seen(Membership.begin("a", TIMING), answer(host("a"), accounts=(MINE,)), 0)

    assert fresh.state(0) is LeaseState.LOST
    assert fresh.permit() == (0, {})
    assert plan(fresh, 0, wanted=("k",)) == HostPlan(1)


def test_member_without_an_answer_decides_nothing() -> None:
    assert plan(member(), 1, wanted=("k",)) == HostPlan(0)
    assert not member().may_decide(INTENT, 1)


def test_permit_has_the_fences_of_this_epoch_only() -> None:
    accounts = (
        MINE,
        AccountRecord("earlier", "a", 1, 3),
        AccountRecord("other", "b", 2, 3),
        AccountRecord("none", None, 2, 3),
    )

    after = seen(member(), answer(host("a"), host("b"), accounts=accounts), 3)

    assert after.permit() == (11, {"k": 5})


def test_permit_during_a_freeze_has_no_deadline() -> None:
    frozen = seen(member(), answer(host("a"), accounts=(MINE,), timeline=(2, 1)), 3)

    assert frozen.permit().deadline == 0
    assert frozen.state(3) is LeaseState.HELD


def test_member_during_a_freeze_decides_nothing_but_its_end() -> None:
    rows = answer(
        host("a"),
        host("b", left=-1),
        accounts=(MINE, AccountRecord("of-b", "b", 2, 1)),
        intents=(INTENT,),
        timeline=(2, 1),
        seconds=900,
    )
    frozen = seen(member(), rows, *range(0, 55, 3))

    assert plan(frozen, 53, wanted=("new",)) == HostPlan(2)
    assert plan(frozen, 54, wanted=("new",)) == HostPlan(2, freeze=AcknowledgeTimeline(2, 1))
    assert not frozen.may_decide(INTENT, 54)


def test_member_that_sees_the_log_go_back_distrusts_the_timeline() -> None:
    rows = answer(host("a"))
    after = seen(seen(member(), rows, 0), rows._replace(lsn=1), 3)

    assert plan(after, 3) == HostPlan(1, freeze=DistrustTimeline(1))


@pytest.mark.parametrize("now", [8, 12])
def test_member_that_does_not_hold_its_lease_decides_nothing(now: float) -> None:
    assert plan(seen(member(), answer(host("a")), 0), now, wanted=("k",)) == HostPlan(1)


def test_member_claims_what_is_wanted_and_prefers_it() -> None:
    assert plan(seen(member(), answer(host("a")), 0), 0, wanted=("new",)).claims == (
        TakeAccount("new", None, 2),
    )


def test_member_leaves_a_new_account_to_the_preferred_host_for_two_beats() -> None:
    rows = answer(host("a"), host("b"))
    key = next(key for key in "pqrstuvwxyz" if ranking(key, ["a", "b"])[0] == "b")
    first, nothing = seen(member(), rows, 0).decided(0, (key,), ())
    assert nothing.claims == ()

    later = seen(first, rows, 3, 6)

    assert plan(later, 6, wanted=(key,)).claims == (TakeAccount(key, None, 2),)
    assert plan(later, 6).claims == ()


def test_member_claims_what_the_end_of_an_epoch_left() -> None:
    left = AccountRecord("k", "b", 2, 5)
    rows = answer(host("a"), host("b", epoch=4, left=-30), accounts=(left,))

    after = seen(member(), rows, *range(0, 16, 3))

    assert plan(after, 15).claims == (TakeAccount("k", left, 2),)
    assert plan(after, 15).takeovers == ()


def test_member_claims_nothing_of_a_dead_host_before_its_epoch_is_closed() -> None:
    dead = host("b", left=-30)
    rows = answer(host("a"), dead, accounts=(AccountRecord("k", "b", 2, 5),))

    after = plan(seen(member(), rows, *range(0, 16, 3)), 15)

    assert after.takeovers == (steps_of_takeover(dead),)
    assert after.claims == ()


def test_member_that_drains_releases_and_stops_using_the_claim_at_once() -> None:
    rows = answer(host("a", draining=True), host("b"), accounts=(MINE,))

    after, released = seen(member(), rows, 3).decided(3, ("k", "new"), ())

    assert released.releases == (ReleaseAccount(MINE),)
    assert released.claims == ()
    assert after.permit().fences == {}


def test_member_keeps_a_busy_account_and_one_with_an_open_intent_when_it_drains() -> None:
    rows = answer(host("a", draining=True), accounts=(MINE,))
    with_intent = rows._replace(intents=(INTENT,))

    assert plan(seen(member(), rows, 3), 3, busy=("k",)).releases == ()
    assert plan(seen(member(), with_intent, 3), 3).releases == ()


def test_member_takes_a_release_back_only_by_a_new_claim() -> None:
    draining = answer(host("a", draining=True), host("b"), accounts=(MINE,))
    after, _ = seen(member(), draining, 3).decided(3, (), ())
    again = seen(after, answer(host("a"), accounts=(MINE,)), 6)

    assert again.permit().fences == {}
    assert plan(again, 6).claims == (TakeAccount("k", MINE, 2),)

    claimed = MINE._replace(fence=6)
    renewed = seen(again, answer(host("a"), accounts=(claimed,)), 9)
    assert renewed.permit().fences == {"k": 6}
    assert renewed.releasing == frozenset()


def test_member_moves_no_more_than_its_part_of_five_a_second() -> None:
    accounts = tuple(AccountRecord(f"key-{number}", "a", 2, 1) for number in range(300))
    rows = answer(host("a"), host("b"), accounts=accounts)
    after = seen(member(), rows, *range(0, 61, 3))

    moving, first = after.decided(60, (), ())
    assert len(first.releases) == 7
    assert len(plan(moving, 61).releases) == 2
    assert plan(moving, 60).releases == ()


def test_member_decides_an_intent_of_its_own_account_only() -> None:
    rows = answer(host("a"), host("b"), accounts=(MINE,), intents=(INTENT,), seconds=42)
    after = seen(member(), rows, *range(0, 43, 3))
    other = replace(after, host_id="b")

    assert after.may_decide(INTENT, 42)
    assert not after.may_decide(INTENT, 41)
    assert not after.may_decide(INTENT, 50)
    assert not other.may_decide(INTENT, 42)


def test_member_that_joins_again_has_none_of_its_former_claims() -> None:
    after = seen(member(), answer(host("a"), accounts=(MINE,)), 3).joined("a/2", 4, 20)

    assert after.permit() == (28, {})
    assert after.state(27) is LeaseState.HELD
