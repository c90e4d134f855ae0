"""The calls at the control socket, and their answers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from loguru import logger

from execsvc.clock import monotonic
from execsvc.clock import now as utc_now
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.facts import Occurrence
from execsvc.supervisor.bots.fleet import Fleet
from execsvc.supervisor.bots.halting import Halting
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.control.operator_calls import OperatorCalls
from execsvc.supervisor.hosts import HostWorkers
from execsvc.supervisor.listing.reconciler import ListingReconciler
from execsvc.supervisor.listing.source import ListingSource
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.report_requests import ReportRequests
from execsvc.supervisor.status import status
from execsvc.supervisor.status.conditions import conditions
from execsvc.supervisor.status.facts import Facts, Polled
from execsvc.supervisor.status.metrics import metrics


class Requests:
    """Answers ``{"call": …}``; a call that is not known is answered with an error."""

    def __init__(
        self,
        context: ProcessContext,
        fleet: Fleet,
        bots: Bots,
        halting: Halting,
        listings: ListingSource,
        reconciler: ListingReconciler,
        reporting: ReportRequests,
        hosts: HostWorkers,
    ) -> None:
        self._context = context
        self._fleet = fleet
        self._halting = halting
        self._bots = bots
        self._listings = listings
        self._reconciler = reconciler
        self._reporting = reporting
        self._hosts = hosts
        self._started_at = utc_now()
        self._began = monotonic()
        self._calls: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "status": lambda request: status.status(
                self.facts(), diagnostics=request.get("diagnostics") is True
            ),
            "health": lambda _: status.health(self.facts()),
            "page": lambda _: self._page(),
            "metrics": lambda _: metrics(self.facts(), fleet.totals, context.clock),
            "poll": self._poll,
            "recheck": self._recheck,
            **OperatorCalls(fleet, bots, halting, reconciler.await_row).by_name,
        }

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request."""
        call = self._calls.get(str(request.get("call")))
        return call(request) if call is not None else {"error": "no such call"}

    def facts(self) -> Facts:
        """The facts of which the status and health documents are made."""
        listings = self._listings
        return Facts(
            pid=os.getpid(),
            service=self._fleet.service,
            started_at=self._started_at,
            uptime=monotonic() - self._began,
            polled=Polled(
                interval=self._context.settings.poll_interval,
                age=listings.age(),
                last_success_at=listings.last_success_at,
                failures=listings.failures,
                last_error=listings.last_error,
                pending=self._reconciler.pending,
            ),
            bots=list(self._fleet.bots.values()),
            nameless=self._bots.nameless,
            halted=self._halting.current,
            reports=self._reporting.document(),
            store=self._hosts.fault,
            no_process=self._context.children.refused,
        )

    def _page(self) -> dict[str, Any]:
        """The facts of which the page for people is made."""
        facts = self.facts()
        return {
            "status": status.status(facts),
            "conditions": [
                {"bot_id": wrong.bot_id, "severity": wrong.severity.value, "text": wrong.line}
                for wrong in conditions(facts)
            ],
            "events": self._fleet.recent.shown(),
        }

    def log_status(self) -> None:
        """Write the whole status to the log, a line a bot."""
        document = status.status(self.facts())
        logger.bind(event="status_shown").info(
            "{}, pid {}, {}", document["state"], document["pid"], self.summary()
        )
        for bot in document["bots"]:
            text = ", ".join(f"{name} {value}" for name, value in bot.items() if value is not None)
            logger.bind(event="status_shown", bot_id=bot["bot_id"]).info("{}", text)

    def summary(self) -> str:
        """The count of bots in each state, in a few words."""
        counts = Counter(bot.state.value for bot in self._fleet.bots.values())
        counts[State.INVALID.value] += len(self._bots.nameless)
        counted = ", ".join(f"{n} {state}" for state, n in sorted(counts.items()) if n) or "no bots"
        return f"trading is halted, {counted}" if self._halting.current is not None else counted

    def _poll(self, _: dict[str, Any]) -> dict[str, Any]:
        self._listings.poll()
        return {"accepted": True}

    def _recheck(self, request: dict[str, Any]) -> dict[str, Any]:
        bot_id = str(request.get("bot_id"))
        if bot_id not in self._fleet.bots:
            return {"error": "no such bot"}
        if self._fleet.service is not ServiceMode.RUNNING:
            return {"error": "the service is stopping"}
        self._bots.apply(bot_id, Occurrence.LEDGER_CHANGED)
        return {"ok": True, "state": self._fleet.bots[bot_id].state.value}
