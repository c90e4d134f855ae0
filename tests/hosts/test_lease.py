"""The lease of a host: its deadline, its three states, and the permit of its runners."""

from __future__ import annotations

import pytest
from support.host_rows import TIMING

from execsvc.hosts.lease import HostLease, LeaseState, Permit


def lease(sent: float = 100) -> HostLease:
    return HostLease(TIMING, "a/1", 2, sent)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (100, LeaseState.HELD),
        (107.999, LeaseState.HELD),
        (108, LeaseState.WAITING_STORE),
        (111.999, LeaseState.WAITING_STORE),
        (112, LeaseState.LOST),
        (1000, LeaseState.LOST),
    ],
)
def test_lease_without_further_beats_has_the_state_of_its_age(
    now: float, state: LeaseState
) -> None:
    assert lease().state(now) is state


def test_lease_after_an_answer_counts_from_the_sending() -> None:
    renewed = lease().answered(accepted=True, sent=103, received=104.9)

    assert renewed.deadline == 111


def test_lease_after_an_older_answer_keeps_its_deadline() -> None:
    renewed = lease().answered(accepted=True, sent=99, received=101)

    assert renewed.deadline == 108


def test_lease_answered_while_waiting_is_held_again() -> None:
    renewed = lease().answered(accepted=True, sent=109, received=111.9)

    assert renewed.state(112) is LeaseState.HELD


def test_lease_answered_after_its_ttl_stays_lost() -> None:
    late = lease().answered(accepted=True, sent=111, received=112)

    assert late.state(112) is LeaseState.LOST
    assert late.deadline == 0
    assert late.answered(accepted=True, sent=113, received=114).state(114) is LeaseState.LOST


def test_lease_of_a_host_declared_dead_is_lost_at_once() -> None:
    assert lease().answered(accepted=False, sent=101, received=101).state(101) is LeaseState.LOST


@pytest.mark.parametrize(
    ("key_id", "now", "allowed"), [("k", 107, True), ("k", 108, False), ("other", 107, False)]
)
def test_permit_to_begin_needs_the_claim_and_the_deadline(
    key_id: str, now: float, allowed: bool
) -> None:
    assert Permit(108, {"k": 3}).may_begin(key_id, now) is allowed


@pytest.mark.parametrize(
    ("key_id", "fence", "began", "now", "allowed"),
    [
        ("k", 3, 100, 102, True),
        ("k", 3, 100, 102.1, False),
        ("k", 3, 107, 108, False),
        ("k", 2, 100, 101, False),
        ("other", 3, 100, 101, False),
    ],
)
def test_permit_to_send_needs_fence_deadline_and_a_young_intent(
    key_id: str, fence: int, began: float, now: float, allowed: bool
) -> None:
    permit = Permit(108, {"k": 3})

    assert permit.may_send(key_id, fence, began=began, now=now, timing=TIMING) is allowed
