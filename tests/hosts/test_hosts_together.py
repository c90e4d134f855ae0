"""Three hosts on one database: at most one of them can send an order for an account at any moment,
and no open intent is decided while its order may still execute.
"""

from __future__ import annotations

import random

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.host_events import LINKS
from support.hosts_soak import CLOCK_STEPS, LOST_SECONDS, OUTAGES, PAUSES, WAITS, life
from support.hosts_world import HOSTS, KEYS, HostsWorld

names = st.sampled_from(HOSTS)


class Hosts(RuleBasedStateMachine):
    """Accidents in any order."""

    world: HostsWorld

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.world = HostsWorld(random.Random(seed))
        self.world.advance(12)

    @rule(name=names, key_id=st.sampled_from(KEYS), wait=st.sampled_from(WAITS))
    def order(self, name: str, key_id: str, wait: float) -> None:
        self.world.order(name, key_id)
        self.world.advance(wait)

    @rule(wait=st.sampled_from([3.0, 6.0, 13.0, 30.0]))
    def wait(self, wait: float) -> None:
        for name in HOSTS:
            for key_id in KEYS:
                self.world.order(name, key_id)
        self.world.advance(wait)

    @rule(name=names, quality=st.sampled_from(LINKS))
    def link(self, name: str, quality: str) -> None:
        self.world.link(name, quality)

    @rule(name=names, seconds=st.sampled_from(PAUSES), clock_runs=st.booleans())
    def pause(self, name: str, seconds: float, clock_runs: bool) -> None:
        self.world.pause(name, seconds, clock_runs=clock_runs)
        self.world.advance(0.1)

    @rule(name=names)
    def restart(self, name: str) -> None:
        self.world.restart(name)

    @rule(name=names)
    def drain(self, name: str) -> None:
        self.world.drain(name)

    @rule(name=names)
    def undrain(self, name: str) -> None:
        self.world.undrain(name)

    @rule(seconds=st.sampled_from(CLOCK_STEPS))
    def set_database_clock(self, seconds: float) -> None:
        self.world.set_database_clock(seconds)
        self.world.advance(0.1)

    @rule(seconds=st.sampled_from(OUTAGES))
    def stop_database(self, seconds: float) -> None:
        self.world.stop_database(seconds)

    @rule(lost=st.sampled_from(LOST_SECONDS))
    def fail_over(self, lost: float) -> None:
        self.world.fail_over(lost)

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            assert self.world.violations == []

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.heal(300)
            assert self.world.violations == []


TestHosts = Hosts.TestCase
TestHosts.settings = settings(max_examples=15, stateful_step_count=30)


@pytest.mark.parametrize("seed", [1, 2])
def test_hosts_with_random_accidents_stay_apart_and_mend(seed: int) -> None:
    world = life(seed, 1000)

    assert world.violations == []
    wanted = {"executed", "takeovers", "decided", "never sent", "releases"}
    assert wanted <= set(world.counts)
