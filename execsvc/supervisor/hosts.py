"""The supervisor's end of a store that several hosts share: the workers ``lease`` and ``store``.

The lease decides which accounts this host has; the bots of an account that it has not are at rest here, and
say which host has them. Without a shared store nothing here is started.

Not there yet: a start waits for the store, and gives up after :data:`LONGEST_START`; the supervisor itself
reads ledgers through the broker, and so waits while the store does not answer.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable

from loguru import logger
from pydantic import ValidationError

from execsvc.clock import monotonic
from execsvc.errors import ConfigRefused, LedgerUnavailable, Unavailable
from execsvc.store.claims import AccountClaims
from execsvc.store.lease_page import HostLeaseView
from execsvc.store.opening import BROKER_SOCKET, lease_page
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.facts import AccountSeen
from execsvc.supervisor.bots.fleet import Fleet
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.worker_channel import WorkerChannel
from execsvc.workers.channel import Pipes
from execsvc.workers.lease_lines import LeaseReport, LeaseRequest

KEY = "\0hosts"
LONGEST_START = 40.0
"""Seconds that a start waits for a lease: longer than an earlier life of another machine takes to be dead."""
LEAVE_GRACE = 5.0
"""Seconds that the worker has to give up the lease, at the end of the service."""
_STEP = 0.1
_LOST_CHECK = 1.0


class HostWorkers:
    """The two workers of a store that hosts share, not started yet."""

    def __init__(self, context: ProcessContext, selector: selectors.BaseSelector) -> None:
        self._context = context
        self._selector = selector
        self._page = lease_page(context.settings)
        self.lease = WorkerChannel(
            context, selector, "lease", self._lease_work, self._receive, on_end=self._forget_sent
        )
        self.store = WorkerChannel(context, selector, "store", self._store_work)
        self.on = context.settings.store_url is not None
        self.fault: str | None = None
        """The reason why this host has no lease, None while it has one."""
        self._refused: str | None = None
        self._bots: Bots | None = None
        self._fleet: Fleet | None = None
        self._claims: AccountClaims | None = None
        self._fences: dict[str, int] = {}
        """The claims by which the bots have been told of their accounts."""
        self._wanted: set[str] = set()
        """The accounts that the worker knows to be wanted."""
        self._logged_at = float("-inf")

    def start(self) -> None:
        """Start both workers and wait for a lease. Raises ConfigRefused, Unavailable, LedgerFailed."""
        if not self.on:
            return
        self._page.create()
        broker = self._context.settings.runtime_dir / BROKER_SOCKET
        broker.unlink(missing_ok=True)
        self.lease.start()
        self.store.start()
        until = monotonic() + LONGEST_START
        while monotonic() >= self._page.read().deadline or not broker.exists():
            for ready, _ in self._selector.select(_STEP):
                ready.data()
            for child, code in self._context.children.reap():
                any(channel.died(child, code) for channel in (self.lease, self.store))
            for channel in (self.lease, self.store):
                channel.due()
            if self._refused is not None:
                raise ConfigRefused(f"EXECSVC_STORE_URL: {self._refused}")
            if monotonic() >= until:
                raise Unavailable(f"the shared store: {self.fault or 'no lease in time'}")

    def attach(self, bots: Bots, fleet: Fleet, claims: AccountClaims) -> None:
        """Tell ``bots`` of their accounts from now on."""
        self._bots, self._fleet, self._claims = bots, fleet, claims
        self._context.timers.ask(KEY, self._context.clock.now + _LOST_CHECK)

    def due(self) -> None:
        """Look at the lease, which may have run out without a word of its worker."""
        self._tell_bots()
        self._context.timers.ask(KEY, self._context.clock.now + _LOST_CHECK)

    def want(self) -> None:
        """Tell the worker the accounts of all bots."""
        if not self.on or self._fleet is None:
            return
        wanted = {key_id for bot in self._fleet.bots.values() for key_id in bot.keys}
        for name, keys in (("wanted", wanted - self._wanted), ("unwanted", self._wanted - wanted)):
            for key_id in sorted(keys):
                line = LeaseRequest.model_validate({name: key_id}).model_dump_json(
                    exclude_none=True
                )
                if not self.lease.request(line.encode() + b"\n"):
                    return  # the next turn goes on
                (self._wanted.add if name == "wanted" else self._wanted.discard)(key_id)

    def end(self, turn: Callable[[], None]) -> None:
        """Give up the lease, so that another host goes on at once, and end both workers."""
        if not self.on:
            return
        self.lease.finish()
        until = self._context.clock.now + LEAVE_GRACE
        while not self.lease.gone and self._context.clock.now < until:
            self._context.timers.ask(KEY, self._context.clock.now + _STEP)
            turn()
        for channel in (self.lease, self.store):
            channel.stop()

    def _receive(self, line: bytes) -> None:
        try:
            report = LeaseReport.model_validate_json(line)
        except ValidationError as error:
            logger.bind(event="process_failed").critical("the lease process wrote {}", error)
            return
        self.fault = report.fault
        self._refused = report.fault if report.refused else None
        self._tell_bots()

    def _tell_bots(self) -> None:
        """Tell the bots which accounts this host has now, and has no more."""
        if self._bots is None or self._fleet is None or self._claims is None:
            return
        try:
            view = self._page.read()
        except LedgerUnavailable:
            return
        lost = monotonic() >= view.ends
        fences = {} if lost else dict(view.fences)
        changed = {
            key_id
            for key_id in fences.keys() | self._fences.keys()
            if fences.get(key_id) != self._fences.get(key_id)
        }
        self._fences, before = fences, self._fences
        self._log_loss(view, lost)
        for bot_id, bot in list(self._fleet.bots.items()):
            for key_id in bot.keys & changed:
                if key_id in before:
                    self._bots.apply(bot_id, AccountSeen(f"account {key_id} is lost to this host"))
            now = self._fleet.bots.get(bot_id)
            if now is not None and now.keys and (now.keys & changed or now.elsewhere):
                reasons = [why for key in sorted(now.keys) if (why := self._claims.take(key))]
                reason = reasons[0] if reasons else None
                if reason != now.known.elsewhere:
                    self._bots.apply(bot_id, AccountSeen(reason))

    def _log_loss(self, view: HostLeaseView, lost: bool) -> None:
        """Say once a minute that this host has no lease."""
        away = lost or monotonic() >= view.deadline
        if not away:
            self.fault = None
            return
        self.fault = self.fault or "this host has no lease on its accounts"
        if self._context.clock.now - self._logged_at >= 60.0:
            self._logged_at = self._context.clock.now
            logger.bind(event="lease_lost").critical(
                "the shared store: {}; no order is sent, positions are kept", self.fault
            )

    def _forget_sent(self) -> None:
        self._wanted.clear()

    def _lease_work(self, pipes: Pipes) -> int:
        # psycopg is imported in this child only: it would add to the memory of each bot.
        from execsvc.workers.lease import run_lease

        return run_lease(self._context.settings, pipes)

    def _store_work(self, pipes: Pipes) -> int:
        from execsvc.workers.store import run_store

        return run_store(self._context.settings, pipes)
