"""Three hosts, their orders and one database, on simulated clocks; judged after each event."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial

from support.host_events import HostEvents
from support.host_orders import HostOrders
from support.host_rows import TIMING
from support.simulated_host import SimulatedHost

from execsvc.hosts import takeover
from execsvc.hosts.lease import LeaseState
from execsvc.hosts.membership import Membership
from execsvc.hosts.placement import ReleaseAccount, TakeAccount
from execsvc.hosts.rows import BeatAnswer, incarnation_of
from execsvc.hosts.takeover import (
    BeginJoin,
    CloseEpoch,
    ExpireHost,
    FinishJoin,
    TerminateBackends,
)

HOSTS = ("a", "b", "c")
KEYS = ("k1", "k2", "k3", "k4")


class HostsWorld:
    """All of it; the actions are its public methods, ``violations`` is to stay empty.

    ``stretch`` is added to what an order may take from its check until its execution shows.
    """

    def __init__(self, fate: random.Random, stretch: float = 0.0) -> None:
        self.fate = fate
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        self.events = HostEvents(fate, self._judge)
        self.orders = HostOrders(self.events, self.counts, self.violations, stretch)
        self.hosts = {
            name: SimulatedHost(name, fate.uniform(0, 1e5), 1 + fate.choice([0, 1e-4, -1e-4]))
            for name in HOSTS
        }
        for name in HOSTS:
            self.restart(name)
        self._copy()

    def advance(self, seconds: float) -> None:
        """Let time pass, event by event."""
        self.events.advance(seconds)

    def order(self, name: str, key_id: str) -> None:
        """Let a bot of a host begin an order, if the host's permit allows."""
        self.orders.begin(self.hosts[name], key_id)

    def _copy(self) -> None:
        self.events.database.copy()
        self.events.at(self.events.time + 1, self._copy)

    # The loop of the worker `lease`.

    def _loop(self, host: SimulatedHost) -> None:
        host.beat_id += 1
        if host.member.state(host.clock(self.events.time)) is LeaseState.LOST:
            self._join(host)
        else:
            self._beat(host)
        self.events.on(host, self.events.time + TIMING.beat, lambda: self._loop(host))

    def _beat(self, host: SimulatedHost) -> None:
        lease = host.member.lease
        assert lease is not None
        sent, beat_id = host.clock(self.events.time), host.beat_id
        began = self.events.time

        def answered(answer: BeatAnswer) -> None:
            if host.beat_id != beat_id:
                return
            host.clock_stopped = host.clock_stopped and began < host.paused_until
            host.become(host.member.answered(answer, sent, host.clock(self.events.time)))
            self.counts["beats"] += 1
            self.orders.settle(host)
            self._decide(host)

        self.events.call(
            host,
            lambda: self.events.database.beat(
                host.name, lease.incarnation, lease.epoch, host.draining
            ),
            answered,
        )

    def _join(self, host: SimulatedHost) -> None:
        beat_id = host.beat_id
        incarnation = incarnation_of(host.name, f"{host.life}.{next(self.events.ids)}")

        def surveyed(answer: BeatAnswer) -> None:
            if host.beat_id != beat_id:
                return
            now = host.clock(self.events.time)
            host.become(host.member.answered(answer, now, now))
            if not takeover.may_join(host.name, incarnation, host.member.peers, answer, now):
                return
            begin, terminate, finish = takeover.join_steps(
                host.name, incarnation, answer.host(host.name)
            )
            assert isinstance(begin, BeginJoin)
            assert isinstance(terminate, TerminateBackends)
            assert isinstance(finish, FinishJoin)
            sent = 0.0

            def finished() -> bool:
                return self.events.database.finish_join(finish)

            def send_last() -> None:
                nonlocal sent
                sent = host.clock(self.events.time)
                self.events.in_order(host, [finished], joined)

            def joined() -> None:
                if host.beat_id == beat_id:
                    self.counts["joins"] += 1
                    host.become(host.member.joined(incarnation, finish.epoch + 1, sent))

            self.events.in_order(
                host,
                [
                    lambda: self.events.database.begin_join(begin),
                    lambda: self._terminate(terminate),
                ],
                send_last,
            )

        self.events.call(host, self.events.database.read, surveyed)

    def _decide(self, host: SimulatedHost) -> None:
        member, plan = host.member.decided(host.clock(self.events.time), KEYS, set(host.turns))
        host.become(member)
        if (freeze := plan.freeze) is not None:
            self.counts["ends of a freeze"] += 1
            self.events.call(host, lambda: self.events.database.freeze(freeze))
        for group in plan.takeovers:
            self.counts["takeovers"] += 1
            self.events.in_order(
                host, [self._takeover_step(step, plan.timeline) for step in group], lambda: None
            )
        for release in plan.releases:
            self._release(host, release, plan.timeline)
        for claim in plan.claims:
            self._take(host, claim, plan.timeline)

    def _takeover_step(self, step: takeover.TakeoverStep, timeline: int) -> Callable[[], bool]:
        if isinstance(step, ExpireHost):
            expire = step
            return lambda: self.events.database.expire(expire, timeline)
        if isinstance(step, CloseEpoch):
            close = step
            return lambda: self.events.database.close(close, timeline)
        terminate = step
        return lambda: self._terminate(terminate)

    def _terminate(self, step: TerminateBackends) -> bool:
        done = self.events.database.terminate(step)
        for write in list(self.events.database.doomed):
            if self.fate.random() < 0.3:
                self.events.database.doomed.remove(write)
            else:
                soon = self.events.time + self.fate.uniform(0, 1)
                self.events.at(soon, partial(self.orders.land, write))
        return done

    def _release(self, host: SimulatedHost, release: ReleaseAccount, timeline: int) -> None:
        self.counts["releases"] += 1
        late = host.link != "good" and self.fate.random() < 0.5
        self.events.call(
            host,
            lambda: (
                self.events.at(
                    self.events.time + self.fate.uniform(0, 8),
                    lambda: None if self.events.database.is_down else self._now(release, timeline),
                )
                if late
                else self._now(release, timeline)
            ),
        )

    def _now(self, release: ReleaseAccount, timeline: int) -> None:
        self.events.database.release(release, timeline)

    def _take(self, host: SimulatedHost, claim: TakeAccount, timeline: int) -> None:
        self.events.call(
            host,
            lambda: self.counts.update(
                claims=self.events.database.take(claim, host.name, timeline)
            ),
        )

    # Accidents.

    def restart(self, name: str) -> None:
        """Let a host's service die and start; an order between check and request may still go out."""
        host = self.hosts[name]
        host.life += 1
        host.beat_id += 1
        host.draining = False
        host.become(Membership.begin(name, TIMING))
        for order in host.turns.values():
            if order.state == "WRITING" or (order.state == "CLEARED" and self.fate.random() < 0.5):
                order.state = "NEVER"
        host.turns.clear()
        self.counts["starts"] += 1
        begin = self.events.time + self.fate.uniform(0, TIMING.beat)
        self.events.on(host, begin, lambda: self._loop(host))

    def link(self, name: str, quality: str) -> None:
        """Change a host's link to the database."""
        self.hosts[name].link = quality

    def pause(self, name: str, seconds: float, *, clock_runs: bool) -> None:
        """Stop a whole host; its CLOCK_BOOTTIME may stand still meanwhile, as in a hypervisor."""
        host = self.hosts[name]
        if self.events.time < host.paused_until:
            return
        host.paused_until = self.events.time + seconds
        self.counts["pauses"] += 1
        working = [order for order in host.turns.values() if order.state == "WRITING"]
        if not clock_runs and not working:
            host.boot -= seconds * host.rate
            host.clock_stopped = True

    def drain(self, name: str) -> None:
        """Let a host hand its accounts over."""
        self.hosts[name].draining = True

    def undrain(self, name: str) -> None:
        """Let a host that drains go on in the same life."""
        self.hosts[name].draining = False

    def set_database_clock(self, seconds: float) -> None:
        """Move the database's clock."""
        self.events.database.wall += seconds
        self.counts["clock steps"] += 1

    def stop_database(self, seconds: float) -> None:
        """Let the database be away for a time; what it confirmed stays."""
        self.events.database.is_down = True
        self.events.connection += 1
        self.events.at(self.events.time + seconds, self._start_database)

    def _start_database(self) -> None:
        self.events.database.is_down = False

    def fail_over(self, lost: float) -> None:
        """Promote a standby that lost the commits of the last seconds."""
        self.events.connection += 1
        self.events.database.fail_over(lost)
        self.counts["failovers"] += 1

    def heal(self, seconds: float) -> None:
        """Let all work for a time, and look that every account has an owner and no open intent."""
        self.events.database.wall = max(self.events.database.wall, 100_000.0)
        for name in HOSTS:
            self.link(name, "good")
            self.undrain(name)
        self.advance(seconds)
        live = {row.host_id for row in self.events.database.hosts.values() if not row.closing}
        owned = {key for key, row in self.events.database.accounts.items() if row.owner in live}
        if owned != set(KEYS) or self.events.database.intents:
            self.violations.append(f"{self.events.time}: not healed: {self.events.database.read()}")

    # The judge.

    def _judge(self) -> None:
        for key in KEYS:
            able = [host.name for host in self.hosts.values() if self._is_able(host, key)]
            if len(able) > 1:
                self.violations.append(f"{self.events.time}: {able} may send orders for {key}")
        alive: dict[str, str] = {}
        self.orders.open = [
            order for order in self.orders.open if order.state not in ("EXECUTED", "NEVER")
        ]
        for order in self.orders.open:
            if order.may_execute(self.events.time):
                if other := alive.get(order.claim.key_id):
                    both = f"{other} and {order.intent_id}"
                    self.violations.append(f"{self.events.time}: {both} may execute")
                alive[order.claim.key_id] = order.intent_id
        if self.events.database.stale:
            self.violations += [
                f"{self.events.time}: {text}" for text in self.events.database.stale
            ]
            self.events.database.stale.clear()

    def _is_able(self, host: SimulatedHost, key_id: str) -> bool:
        if self.events.time < host.paused_until or host.clock_stopped:
            return False
        return host.permit.may_begin(key_id, host.clock(self.events.time))
