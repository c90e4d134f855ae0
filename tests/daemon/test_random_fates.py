"""Random bots, listings, faults, kills and restarts; a failing sequence is printed for replay."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.world import (
    BOTS,
    KEYS,
    LISTING_FAULTS,
    ORDER_FAULTS,
    READ_FAULTS,
    REPORT_CALLS,
    REPORT_FAULTS,
    World,
)

pytestmark = [pytest.mark.daemon, pytest.mark.slow, pytest.mark.timeout(400)]


class Fates(RuleBasedStateMachine):
    """Random accidents, and the conditions after each of them."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.world: World | None = None

    @initialize(first=st.sampled_from(BOTS), key=st.sampled_from(KEYS))
    def begin(self, first: str, key: str) -> None:
        self.world = World(Path(self._folder.name))
        self.world.list_bot(first, key, 1)

    @rule(bot=st.sampled_from(BOTS), key=st.sampled_from(KEYS), hold=st.sampled_from([1, 2, 60]))
    def a_bot_runs(self, bot: str, key: str, hold: float) -> None:
        self._world.list_bot(bot, key, hold)
        self._world.tick()

    @rule(bot=st.sampled_from(BOTS))
    def a_bot_stops(self, bot: str) -> None:
        self._world.drop_bot(bot)
        self._world.tick()

    @rule(fault=st.sampled_from(ORDER_FAULTS), side=st.sampled_from([None, "buy", "sell"]))
    def orders_fail(self, fault: dict[str, Any], side: str | None) -> None:
        self._world.order_fault(fault, side)

    @rule(
        fault=st.sampled_from(READ_FAULTS),
        call=st.sampled_from(["balance", "ticker"]),
        times=st.integers(1, 8),
    )
    def reads_fail(self, fault: dict[str, Any], call: str, times: int) -> None:
        self._world.read_fault(fault, call, times)

    @rule(fault=st.sampled_from(LISTING_FAULTS), times=st.integers(1, 3))
    def listings_fail(self, fault: dict[str, Any], times: int) -> None:
        self._world.listing_fault(fault, times)

    @rule(
        fault=st.sampled_from(REPORT_FAULTS),
        call=st.sampled_from(REPORT_CALLS),
        times=st.integers(1, 3),
    )
    def reports_fail(self, fault: dict[str, Any], call: str, times: int) -> None:
        self._world.report_fault(fault, call, times)

    @rule(which=st.integers(0, 9))
    def a_runner_dies(self, which: int) -> None:
        self._world.kill_runner(which)

    @rule(which=st.integers(0, 9))
    def a_child_dies(self, which: int) -> None:
        self._world.kill_any(which)

    @rule(how=st.sampled_from(["kill", "stop", "hold"]))
    def the_service_ends(self, how: str) -> None:
        self._world.restart(how)

    @invariant()
    def nothing_is_lost(self) -> None:
        if self.world is not None:
            self.world.check()

    def teardown(self) -> None:
        if self.world is not None:
            try:
                self.world.settle()
            finally:
                self.world.close()
        self._folder.cleanup()

    @property
    def _world(self) -> World:
        assert self.world is not None
        return self.world


TestFates = Fates.TestCase
TestFates.settings = settings(
    max_examples=3,
    stateful_step_count=8,
    # A sequence that fails is printed as it is: each try of a shorter one takes half a minute.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    derandomize=False,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
