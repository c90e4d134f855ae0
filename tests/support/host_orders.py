"""The orders of simulated hosts: intent, check, request, execution; and their settlement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from support.host_events import HostEvents
from support.host_rows import TIMING
from support.shared_database import Claim, Hanging
from support.simulated_host import Order, SimulatedHost


class HostOrders:
    """All orders of all hosts.

    ``stretch`` is added to what an order may take from its check until its execution shows.
    """

    def __init__(
        self, events: HostEvents, counts: Counter[str], violations: list[str], stretch: float
    ) -> None:
        self.events = events
        self.counts = counts
        self.violations = violations
        self.stretch = stretch
        self.orders: dict[str, Order] = {}
        self.open: list[Order] = []

    def begin(self, host: SimulatedHost, key_id: str) -> None:
        """Let a bot of a host begin an order, if the host's permit allows."""
        name = host.name
        began = host.clock(self.events.time)
        permit = host.permit
        if self.events.time < host.paused_until or not permit.may_begin(key_id, began):
            return
        if key_id in host.turns or host.member.lease is None:
            return
        claim = Claim(name, host.member.lease.epoch, key_id, permit.fences[key_id])
        order = Order(f"intent-{next(self.events.ids)}", claim, began)
        self.orders[order.intent_id] = host.turns[key_id] = order
        self.open.append(order)
        self.counts["begun"] += 1
        hangs = host.link != "good" and self.events.fate.random() < 0.4

        def committed(done: bool) -> None:
            if done:
                self._committed(host, order)
            else:
                self._never(host, order)

        self.events.call(host, lambda: self._insert(order, hangs=hangs), committed)
        self.events.on(host, self.events.time + 10, lambda: self._give_up(host, order))

    def _insert(self, order: Order, *, hangs: bool) -> bool:
        if not self.events.database.fenced(order.claim):
            return False
        self._write(
            order.claim,
            lambda: self.events.database.insert(order.claim.key_id, order.intent_id),
            hangs=hangs,
        )
        open_intent = self.events.database.intents.get(order.claim.key_id)
        return open_intent is not None and open_intent.intent_id == order.intent_id

    def _write(self, claim: Claim, land: Callable[[], object], *, hangs: bool) -> None:
        """Apply a write that has passed its check, at once or later."""
        if not hangs:
            land()
            return
        self.counts["hanging writes"] += 1
        write = Hanging(claim, land)
        self.events.database.hanging.append(write)
        self.events.at(
            self.events.time + self.events.fate.choice([0.5, 5, 30, 100]), lambda: self.land(write)
        )

    def land(self, write: Hanging) -> None:
        if write in self.events.database.hanging or write in self.events.database.doomed:
            self.events.database.land(write)

    def _committed(self, host: SimulatedHost, order: Order) -> None:
        now = host.clock(self.events.time)
        allowed = host.permit.may_send(
            order.claim.key_id, order.claim.fence, began=order.began, now=now, timing=TIMING
        )
        if order.state != "WRITING":
            return
        if not allowed:
            self._never(host, order)
            return
        order.state = "CLEARED"
        self.counts["cleared"] += 1
        if order.decided:
            self.violations.append(
                f"{self.events.time}: {order.intent_id} cleared after its decision"
            )
        order.slack = self.events.time + TIMING.longest_pause + self.stretch
        most = TIMING.longest_pause + self.stretch - 0.01
        takes = self.events.fate.choice([0.1, 0.1, 2, 10, most])
        pause = self.events.fate.choice([0, 0, 0.5, most - takes])
        self.events.at(self.events.time + pause, lambda: self._send(host, order, takes))

    def _send(self, host: SimulatedHost, order: Order, takes: float) -> None:
        if self.events.time < host.paused_until:
            self.events.at(host.paused_until, lambda: self._send(host, order, takes))
            return
        if self.events.time + takes >= order.slack:
            self.counts["beyond the longest pause"] += 1
            order.state = "NEVER"
            host.turns.pop(order.claim.key_id, None)
            return
        order.state = "SENT"
        self.events.at(self.events.time + takes, lambda: self._executed(host, order))

    def _executed(self, host: SimulatedHost, order: Order) -> None:
        order.state = "EXECUTED"
        self.counts["executed"] += 1
        if host.turns.get(order.claim.key_id) is order:
            self.events.on(host, self.events.time, lambda: self._report(host, order))

    def _never(self, host: SimulatedHost, order: Order) -> None:
        order.state = "NEVER"
        self.counts["never sent"] += 1
        self._report(host, order)

    def _report(self, host: SimulatedHost, order: Order) -> None:
        """Tell the database an outcome, which is a fact; the turn is free afterwards."""
        key = order.claim.key_id
        host.turns.pop(key, None)
        self.events.call(host, lambda: self.events.database.close_intent(key, order.intent_id))

    def _give_up(self, host: SimulatedHost, order: Order) -> None:
        if order.state == "WRITING":
            self._never(host, order)

    def settle(self, host: SimulatedHost) -> None:
        """Decide the open intents of this host's accounts that no bot of it works on."""
        assert host.member.answer is not None
        fences = host.permit.fences
        for intent in host.member.answer.intents:
            order = self.orders[intent.intent_id]
            if intent.key_id not in fences or intent.key_id in host.turns:
                continue
            shows = order.state == "EXECUTED"
            if not shows and not host.member.may_decide(intent, host.clock(self.events.time)):
                continue
            lease = host.member.lease
            assert lease is not None
            claim = Claim(host.name, lease.epoch, intent.key_id, fences[intent.key_id])
            hangs = host.link != "good" and self.events.fate.random() < 0.3
            self.events.call(host, lambda o=order, c=claim, h=hangs: self._decision(o, c, hangs=h))  # type: ignore[misc]

    def _decision(self, order: Order, claim: Claim, *, hangs: bool) -> None:
        if self.events.database.fenced(claim):
            self._write(claim, lambda: self._decided(order), hangs=hangs)

    def _decided(self, order: Order) -> None:
        if not self.events.database.close_intent(order.claim.key_id, order.intent_id):
            return
        order.decided = True
        self.counts["decided"] += 1
        if order.may_execute(self.events.time):
            self.violations.append(
                f"{self.events.time}: {order.intent_id} decided while {order.state}"
            )
