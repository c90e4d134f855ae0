"""Each rule of several hosts, broken once: a short story of accidents is red without the rule, and
green with all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from support import shared_database
from support.host_rows import TIMING
from support.hosts_world import HOSTS, KEYS, HostsWorld

from execsvc.hosts import membership, takeover
from execsvc.hosts.lease import HostLease, LeaseState, Permit
from execsvc.hosts.membership import Membership
from execsvc.hosts.peers import Peers
from execsvc.hosts.rows import AccountRecord, BeatAnswer, HostRecord, OpenIntent
from execsvc.hosts.settling import IntentWatch
from execsvc.hosts.timeline import TimelineWatch
from execsvc.hosts.timing import Timing

Story = Callable[[HostsWorld], None]
Break = Callable[[pytest.MonkeyPatch], None]

LIVES = 25
"""Worlds in which a story is told, with other delays and orders in each, if all rules hold."""
MOST_LIVES = 400
"""Worlds in which it is told at most until one without a rule fails."""


def settled(world: HostsWorld) -> None:
    """Three hosts that have divided the accounts."""
    world.advance(world.fate.uniform(16, 22))


def orders(world: HostsWorld) -> None:
    """An order of each account."""
    for name in HOSTS:
        for key_id in KEYS:
            world.order(name, key_id)


def a_host_is_cut_off(world: HostsWorld) -> None:
    """Cut the link of each owner in turn, for longer than its TTL."""
    settled(world)
    for name in HOSTS:
        world.link(name, "cut")
        world.advance(25)
        world.link(name, "good")
        world.advance(20)


def the_clock_of_the_database_jumps(world: HostsWorld) -> None:
    """Let all leases expire at once by the database's clock, while one host is cut off."""
    settled(world)
    world.link(world.fate.choice(HOSTS), "cut")
    world.set_database_clock(60)
    world.advance(10)


def an_answer_waits_in_a_paused_host(world: HostsWorld) -> None:
    """Pause a host between its beat and the answer; then cut it off."""
    settled(world)
    host = world.hosts[world.fate.choice(HOSTS)]
    beats = host.beat_id
    while host.beat_id == beats:
        world.advance(0.005)
    world.pause(host.name, 8.9, clock_runs=True)
    world.link(host.name, "cut")
    world.advance(24)


def an_owner_dies_after_its_check(world: HostsWorld) -> None:
    """Orders on their way, whose hosts are cut off for good."""
    settled(world)
    orders(world)
    world.advance(0.1)
    for name in world.fate.sample(HOSTS, 2):
        world.link(name, "cut")
    world.advance(60)


def an_owner_restarts_after_its_check(world: HostsWorld) -> None:
    """Orders on their way, whose services start again at once; the database's clock jumps."""
    settled(world)
    orders(world)
    world.advance(0.1)
    for name in HOSTS:
        world.restart(name)
    world.advance(10)
    world.set_database_clock(60)
    for _ in range(60):
        orders(world)
        world.advance(1)


def the_standby_lost_the_intents(world: HostsWorld) -> None:
    """Fail over with orders on their way; services start again."""
    settled(world)
    world.advance(10)
    orders(world)
    world.advance(0.1)
    for name in HOSTS:
        world.restart(name)
    world.fail_over(5)
    for _ in range(80):
        orders(world)
        world.advance(1)


def a_write_hangs_while_its_host_dies(world: HostsWorld) -> None:
    """Let writes hang that have passed their check; their host is cut off, the others are slow."""
    settled(world)
    victim = world.fate.choice(HOSTS)
    world.link(victim, "deaf")
    orders(world)
    world.advance(0.1)
    for name in HOSTS:
        world.link(name, "cut" if name == victim else "slow")
    world.advance(60)


def a_release_is_late(world: HostsWorld) -> None:
    """Drain a host whose statements are delayed, and take the draining back."""
    settled(world)
    name = world.fate.choice(HOSTS)
    world.drain(name)
    world.link(name, "slow")
    world.advance(10)
    world.undrain(name)
    world.advance(20)


def an_answer_to_an_intent_is_late(world: HostsWorld) -> None:
    """Pause a host between its intents and their check; then cut it off."""
    settled(world)
    victim = world.fate.choice(HOSTS)
    orders(world)
    world.pause(victim, 9, clock_runs=True)
    world.advance(9.5)
    world.link(victim, "cut")
    world.advance(60)


def no_second_bump(patch: pytest.MonkeyPatch) -> None:
    """Claim after the first bump."""

    def orphaned(account: AccountRecord, answer: BeatAnswer) -> bool:
        owner = None if account.owner is None else answer.host(account.owner)
        return owner is None or owner.epoch > account.owner_epoch

    patch.setattr(takeover, "orphaned", orphaned)
    patch.setattr(membership, "orphaned", orphaned)


def no_end_of_backends(patch: pytest.MonkeyPatch) -> None:
    """Terminate nothing."""
    patch.setattr(shared_database.SharedDatabase, "terminate", lambda _self, _step: True)


def no_watch_of_beats(patch: pytest.MonkeyPatch) -> None:
    """Believe the database's clock alone."""

    def dead(_self: Peers, answer: BeatAnswer, row: HostRecord, _now: float) -> bool:
        return answer.expired(row)

    patch.setattr(Peers, "dead", dead)
    patch.setattr(Peers, "silent_for", lambda *_: 1e12)


def lease_from_the_answer(patch: pytest.MonkeyPatch) -> None:
    """Count the lease from receiving the answer."""

    def answered(self: HostLease, *, accepted: bool, sent: float, received: float) -> HostLease:
        if not accepted or self.state(received) is LeaseState.LOST:
            return replace(self, ended=True)
        return replace(self, sent=max(sent, received))

    patch.setattr(HostLease, "answered", answered)


def no_self_fence(patch: pytest.MonkeyPatch) -> None:
    """Go on until the database refuses."""
    patch.setattr(HostLease, "deadline", property(lambda self: 0.0 if self.ended else 1e12))


def settling_by_the_database_alone(patch: pytest.MonkeyPatch) -> None:
    """Believe ``created_at`` and the database's clock."""

    def may_decide(self: IntentWatch, answer: BeatAnswer, intent: OpenIntent, _: float) -> bool:
        age = (answer.now - intent.created_at).total_seconds()
        return age >= self.timing.settle_after

    patch.setattr(IntentWatch, "may_decide", may_decide)


def settling_at_the_order_timeout(patch: pytest.MonkeyPatch) -> None:
    """Leave the settlement window out."""
    patch.setattr(Timing, "settle_after", property(lambda self: self.order_timeout))
    patch.setattr(Timing, "longest_pause", property(lambda _: TIMING.order_timeout + 10))


def no_freeze(patch: pytest.MonkeyPatch) -> None:
    """Take a new timeline for the former one."""
    fail_over = shared_database.SharedDatabase.fail_over

    def acknowledged(self: shared_database.SharedDatabase, lost: float) -> None:
        fail_over(self, lost)
        self.acknowledged = self.timeline

    patch.setattr(TimelineWatch, "frozen", property(lambda _: False))
    patch.setattr(shared_database.SharedDatabase, "fail_over", acknowledged)


def freeze_of_a_ttl(patch: pytest.MonkeyPatch) -> None:
    """Freeze for no longer than a lease lasts."""
    patch.setattr(Timing, "freeze", property(lambda self: self.ttl))


def no_age_of_intents(patch: pytest.MonkeyPatch) -> None:
    """Send an order however old its intent is."""
    patch.setattr(Permit, "may_send", lambda *_args, **_kwargs: True)


def releasing_claims_in_use(patch: pytest.MonkeyPatch) -> None:
    """Use a claim until the database has given it up."""
    decided = Membership.decided

    def keeping(
        self: Membership, now: float, wanted: frozenset[str], busy: frozenset[str]
    ) -> tuple[Membership, membership.HostPlan]:
        after, plan = decided(self, now, wanted, busy)
        return replace(after, releasing=frozenset()), plan

    patch.setattr(Membership, "decided", keeping)


BROKEN: list[tuple[Story, Break]] = [
    (a_host_is_cut_off, no_self_fence),
    (the_clock_of_the_database_jumps, no_watch_of_beats),
    (an_answer_waits_in_a_paused_host, lease_from_the_answer),
    (an_owner_dies_after_its_check, settling_at_the_order_timeout),
    (an_owner_restarts_after_its_check, settling_by_the_database_alone),
    (the_standby_lost_the_intents, no_freeze),
    (the_standby_lost_the_intents, freeze_of_a_ttl),
    (a_write_hangs_while_its_host_dies, no_second_bump),
    (a_write_hangs_while_its_host_dies, no_end_of_backends),
    (a_release_is_late, releasing_claims_in_use),
    (an_answer_to_an_intent_is_late, no_age_of_intents),
]


def violations(story: Story, lives: int, stretch: float = 0.0) -> list[str]:
    """The violations of a story in the first world that has one."""
    for seed in range(lives):
        world = HostsWorld(random.Random(seed), stretch)
        story(world)
        if world.violations:
            return world.violations
    return []


@pytest.mark.parametrize(("story", "broken"), BROKEN)
def test_hosts_without_one_rule_are_seen_to_fail(
    story: Story, broken: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)

    assert violations(story, MOST_LIVES) != []


@pytest.mark.parametrize("story", {story: None for story, _ in BROKEN})
def test_hosts_with_all_rules_pass_each_story(story: Story) -> None:
    assert violations(story, LIVES) == []


def test_pause_beyond_the_longest_one_is_seen_to_fail() -> None:
    story = an_owner_dies_after_its_check

    assert violations(story, MOST_LIVES, stretch=TIMING.intent_age + TIMING.beat) != []
