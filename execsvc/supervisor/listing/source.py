"""The supervisor's end of the listing child: its messages, and requests for a listing."""

from __future__ import annotations

import selectors
from collections.abc import Callable
from datetime import datetime

from loguru import logger
from pydantic import ValidationError

from execsvc.clients.bot_service import Listing
from execsvc.clock import now as utc_now
from execsvc.repeats import Repeats
from execsvc.supervisor.bots.totals import Totals
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.worker_channel import WorkerChannel
from execsvc.workers.listing import CONFIRM, LARGEST_LISTING, POLL, ListingAnswer, run_listing


class ListingSource:
    """Passes complete listings, one after the other, to ``take``."""

    def __init__(
        self,
        context: ProcessContext,
        totals: Totals,
        selector: selectors.BaseSelector,
        take: Callable[[Listing, bool, float], None],
    ) -> None:
        self._context = context
        self._totals = totals
        self._take = take
        self.channel = WorkerChannel(
            context,
            selector,
            "listing",
            lambda pipes: run_listing(context.settings, pipes),
            self._receive,
            largest_line=LARGEST_LISTING,
        )
        self._latest: Listing | None = None
        self._repeats = Repeats()
        self._since = context.clock.now
        self.last_success_at: datetime | None = None
        self.failures = 0
        self.last_error: str | None = None

    def poll(self) -> None:
        """Request a listing now."""
        self.channel.request(POLL)

    def confirm(self) -> None:
        """Request the second listing of a pair, at once."""
        self.channel.request(CONFIRM)

    def age(self) -> float:
        """Seconds since the last good listing, or since the start when there was none."""
        return self._context.clock.now - self._since

    def _receive(self, line: bytes) -> None:
        try:
            answer = ListingAnswer.model_validate_json(line)
        except ValidationError as error:
            answer = ListingAnswer(failed=f"the listing process wrote nonsense: {error}")
        self._take_answer(answer)

    def _take_answer(self, answer: ListingAnswer) -> None:
        if answer.failed is not None:
            self._failed(answer.failed)
        listing = answer.listing or (self._latest if answer.unchanged else None)
        if listing is not None:
            self._succeeded()
            unchanged = listing is self._latest
            self._latest = listing
            self._take(listing, unchanged, answer.began)

    def _failed(self, why: str) -> None:
        self.failures += 1
        self._totals.listing_failures += 1
        self.last_error = why
        count = self._repeats.note("listing", self._context.clock.now)
        if count is not None:
            times = f" ({count} times)" if count > 1 else ""
            logger.bind(event="listing_failed").warning("listing failed{}: {}", times, why)

    def _succeeded(self) -> None:
        if self.failures:
            self._repeats.forget("listing")
            logger.bind(event="listing_recovered").info(
                "BotService lists again, after {} failures", self.failures
            )
        self.failures, self.last_error = 0, None
        self._totals.listings += 1
        self.last_success_at, self._since = utc_now(), self._context.clock.now
