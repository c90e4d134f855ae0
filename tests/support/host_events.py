"""Simulated time, and the links of hosts to their database."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from typing import TypeVar

from support.host_rows import TIMING
from support.shared_database import SharedDatabase
from support.simulated_host import SimulatedHost

Answer = TypeVar("Answer")

LINKS = ("good", "slow", "flaky", "deaf", "cut")
"""deaf: statements arrive, answers do not; flaky: any of the others, for each statement."""


class HostEvents:
    """The events, in the order of true time; ``judge`` is called after each event."""

    def __init__(self, fate: random.Random, judge: Callable[[], None]) -> None:
        self.fate = fate
        self.judge = judge
        self.time = 0.0
        self.connection = 0
        """Counts the ends of all connections; what was under way then is lost."""
        self.ids = itertools.count(1)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self.database = SharedDatabase(TIMING, lambda: self.time)

    def advance(self, seconds: float) -> None:
        """Let time pass, event by event."""
        until = self.time + seconds
        while self._events and self._events[0][0] <= until:
            self.time, _, event = heapq.heappop(self._events)
            event()
            self.judge()
        self.time = until
        self.judge()

    def at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(time, self.time), next(self.ids), event))

    def on(self, host: SimulatedHost, time: float, event: Callable[[], None]) -> None:
        """Do something on a host in its present life, when it is not paused."""
        life = host.life

        def do() -> None:
            if host.life != life:
                return
            if self.time < host.paused_until:
                self.at(host.paused_until, do)
                return
            event()

        self.at(time, do)

    def call(
        self,
        host: SimulatedHost,
        statement: Callable[[], Answer],
        then: Callable[[Answer], None] = lambda _: None,
    ) -> None:
        """Send a statement over the host's link; ``then`` gets its answer, if there comes one."""
        link = host.link
        if link == "flaky":
            link = self.fate.choice(LINKS)
        connection = self.connection
        longest = 1.6 if link == "slow" else 0.02
        there, back = self.fate.uniform(0, longest), self.fate.uniform(0, longest)

        def arrive() -> None:
            if self.database.is_down or self.connection != connection:
                return
            answer = statement()
            if link != "deaf":
                self.on(host, self.time + back, lambda: then(answer))

        if link != "cut":
            self.at(self.time + there, arrive)

    def in_order(
        self, host: SimulatedHost, statements: list[Callable[[], bool]], then: Callable[[], None]
    ) -> None:
        """Execute statements, each when the one before it was not refused."""
        if not statements:
            then()
            return
        self.call(
            host,
            statements[0],
            lambda done: self.in_order(host, statements[1:], then) if done else None,
        )
