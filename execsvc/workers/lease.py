"""The worker that keeps this host's lease: joins, beats, and carries out what the rules of hosts decide.

It writes the lease and the claims into the page that all processes of the host share, then a line
(:class:`LeaseReport`) when something changed that the supervisor has to act on. A request names an account
whose bots are listed (:class:`LeaseRequest`); the end of the requests is that of the lease.

Not there yet: accounts with a host are never moved to a better one, since each account of a host counts
as busy; outcomes of orders that a fenced host learns too late are not kept as evidence.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from pathlib import Path

from loguru import logger
from pydantic import ValidationError

from execsvc.clock import monotonic
from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.hosts.lease import LeaseState
from execsvc.hosts.membership import HostPlan, Membership
from execsvc.hosts.rows import BeatAnswer, incarnation_of
from execsvc.hosts.takeover import join_steps, may_join, orphaned
from execsvc.hosts.timing import Timing
from execsvc.settings import Settings
from execsvc.store.lease_page import HostLeaseView
from execsvc.store.opening import host_id, lease_page
from execsvc.store.postgresql import schema
from execsvc.store.postgresql.address import address_of
from execsvc.store.postgresql.connection import DatabaseConnection, connect
from execsvc.store.postgresql.leases import Leases, connection_name
from execsvc.workers.channel import Channel, Pipes
from execsvc.workers.lease_lines import LeaseReport, LeaseRequest
from execsvc.workers.main_loop import run_worker

_MACHINE_ID = Path("/etc/machine-id")


def run_lease(settings: Settings, pipes: Pipes) -> int:
    """Run the worker until the lease is given up or the supervisor is gone. Returns the exit code."""
    return run_worker(settings, "lease", pipes, lambda channel: LeaseWorker(settings, channel))


class LeaseWorker:
    """The lease of one life of the service; a lost lease is followed by a new one."""

    def __init__(self, settings: Settings, channel: Channel) -> None:
        self._channel = channel
        self._address = address_of(settings)
        self._host_id = host_id(settings)
        self._machine = _machine(settings.state_dir)
        self._page = lease_page(settings)
        self._timing = Timing(settings.order_timeout, settings.settlement_window)
        self._host = Membership.begin(self._host_id, self._timing)
        self._connection: DatabaseConnection | None = None
        self._former = self._former_lease()
        """The lease of a worker before this one, which has crashed; None once that is decided."""
        self._incarnation = self._former.incarnation if self._former else self._new_incarnation()
        self._epoch = 0
        """The epoch of the present lease; 0 before the host has joined."""
        self._wanted: set[str] = set()
        self._due = monotonic()
        self._fault: str | None = None
        self._refused = False
        self._reported: object = None
        self._publish()

    def step(self) -> float | None:
        """Beat if that is due; returns the time of the next beat, None once the lease is given up."""
        self._take_requests()
        if self._channel.finishing:
            self._leave()
            return None
        if monotonic() >= self._due:
            self._due = monotonic() + self._timing.beat
            self._turn()
        return self._due

    def _take_requests(self) -> None:
        for line in self._channel.requests():
            with suppress(ValidationError):
                request = LeaseRequest.model_validate_json(line)
                if request.wanted is not None and request.wanted not in self._wanted:
                    self._wanted.add(request.wanted)
                    self._due = monotonic()
                if request.unwanted is not None:
                    self._wanted.discard(request.unwanted)

    def _turn(self) -> None:
        """One beat and what follows from its answer; a fault of the store is reported."""
        before, self._fault, self._refused = self._fault, None, False
        try:
            self._beat(self._leases())
        except ConfigRefused as refused:
            self._fault, self._refused = str(refused), True
        except LedgerFailed as failed:
            self._fault = str(failed)
            self._disconnect()
        if self._fault is not None and self._fault != before:
            logger.bind(event="ledger_unavailable").error("the shared store: {}", self._fault)
        self._publish()
        self._report()

    def _beat(self, leases: Leases) -> None:
        if self._epoch and self._host.state(monotonic()) is LeaseState.LOST:
            self._epoch, self._incarnation = 0, self._new_incarnation()
            self._disconnect()
            leases = self._leases()
        sent = monotonic()
        answer = leases.beat(timeout=self._timing.beat_timeout)
        self._host = self._host.answered(answer, sent, monotonic())
        self._publish()
        if not self._epoch:
            if self._former is not None:
                self._resume(self._former, answer)
            else:
                self._join(leases, answer)
        elif self._host.state(monotonic()) is LeaseState.LOST:
            self._due = monotonic()
        else:
            claims = {row.key_id for row in self._host.claims()}
            self._host, plan = self._host.decided(monotonic(), self._wanted, claims)
            self._publish()
            if self._carried_out(leases, plan):
                self._due = monotonic()

    def _former_lease(self) -> HostLeaseView | None:
        """The lease that the page shows, if it is still good: its bots go on meanwhile."""
        with suppress(LedgerFailed):
            view = self._page.read()
            if view.incarnation and monotonic() < view.deadline:
                return view
        return None

    def _resume(self, former: HostLeaseView, answer: BeatAnswer) -> None:
        """Go on with the lease ``former`` if it is good and the database knows it; else join anew at once."""
        self._former, self._due = None, monotonic()
        row = answer.host(self._host_id)
        known = row is not None and not row.closing and row.incarnation == former.incarnation
        if row is None or not known or monotonic() >= former.deadline:
            self._incarnation = self._new_incarnation()
            return
        self._epoch = row.epoch
        sent = former.ends - self._timing.ttl
        self._host = self._host.joined(self._incarnation, self._epoch, sent)

    def _join(self, leases: Leases, answer: BeatAnswer) -> None:
        if not may_join(self._host_id, self._incarnation, self._host.peers, answer, monotonic()):
            self._fault = f"another machine has joined as host {self._host_id}"
            return
        leases.agree(self._timing)
        sent = monotonic()
        for step in join_steps(self._host_id, self._incarnation, answer.host(self._host_id)):
            sent = monotonic()
            if not leases.execute(step, answer.timeline):
                self._fault = f"host {self._host_id} could not join yet"
                return
        self._epoch = leases.epoch
        self._host = self._host.joined(self._incarnation, self._epoch, sent)
        self._due = monotonic()
        logger.bind(event="host_joined").info(
            "host {} has joined the shared store, epoch {}", self._host_id, self._epoch
        )

    def _carried_out(self, leases: Leases, plan: HostPlan) -> bool:
        """Carry out ``plan``; True when the next beat will show a change."""
        changed = False
        if plan.freeze is not None:
            leases.execute(plan.freeze, plan.timeline)
        for group in plan.takeovers:
            for step in group:
                if not leases.execute(step, plan.timeline):
                    break
            else:
                changed = True
                logger.bind(event="host_taken_over").warning(
                    "host {} is dead: its accounts can be claimed", group[0].host_id
                )
        for released in plan.releases:
            changed = leases.execute(released, plan.timeline) or changed
        for claim in plan.claims:
            changed = leases.execute(claim, plan.timeline) or changed
        return changed

    def _leave(self) -> None:
        """Give up the lease: other hosts claim the accounts at their next beat."""
        if not self._epoch:
            return
        self._page.write(HostLeaseView(incarnation=self._incarnation))
        with suppress(LedgerFailed):
            leases = self._leases()
            leases.drain(True)
            leases.leave()

    def _leases(self) -> Leases:
        """The calls of this life of the host. Raises LedgerFailed, ConfigRefused."""
        if self._connection is None:
            name, patience = connection_name(self._host_id), self._timing.beat_timeout
            self._connection = connect(self._address, name, patience)
            if schema.version(self._connection) is None:
                raise ConfigRefused("the database has no tables: execsvc store init")
        return Leases(self._connection, self._host_id, self._incarnation, self._epoch)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _publish(self) -> None:
        """Write the lease into the page, before anything is executed that follows from it.

        The page stays as it is while it shows the lease of a worker before this one that may go on.
        """
        if self._former is not None and monotonic() < self._former.deadline:
            return
        host, answer = self._host, self._host.answer
        permit, lease = host.permit(), host.lease
        ends = 0.0 if lease is None or lease.ended else lease.sent + self._timing.ttl
        now = monotonic()
        self._page.write(
            HostLeaseView(
                deadline=permit.deadline,
                ends=ends,
                incarnation=self._incarnation if self._epoch else "",
                fences=permit.fences if self._epoch else {},
                holders={} if answer is None else _holders(answer),
                decidable=frozenset(
                    intent.intent_id
                    for intent in (() if answer is None else answer.intents)
                    if host.may_decide(intent, now)
                ),
            )
        )

    def _report(self) -> None:
        """Tell the supervisor of a change, once the page shows it."""
        answer = self._host.answer
        report = LeaseReport(
            state=self._host.state(monotonic()), fault=self._fault, refused=self._refused
        )
        known = (report, self._epoch, self._host.permit().fences, answer and _holders(answer))
        if known != self._reported:
            self._reported = known
            self._channel.send(report.model_dump_json().encode() + b"\n")

    def _new_incarnation(self) -> str:
        return incarnation_of(self._machine, secrets.token_hex(8))


def _holders(answer: BeatAnswer) -> dict[str, str]:
    """The host that has each account, by the last answer."""
    return {
        row.key_id: row.owner
        for row in answer.accounts
        if row.owner is not None and not orphaned(row, answer)
    }


def _machine(state_dir: Path) -> str:
    """This machine and state directory: a file lock in it keeps two services apart."""
    try:
        machine = _MACHINE_ID.read_text().strip()
    except OSError:
        machine = secrets.token_hex(8)
    return hashlib.sha256(f"{machine}:{state_dir}".encode()).hexdigest()[:32]
