"""The worker that requests listings of BotService, so that the supervisor never waits on the network.

It writes one JSON line for each listing (:class:`ListingAnswer`). A request asks for a listing before
the interval has passed.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress

from pydantic import BaseModel

from execsvc.clients.bot_service import BotService, Listing
from execsvc.clients.service_http import bot_service_http
from execsvc.clock import monotonic
from execsvc.errors import Unavailable
from execsvc.settings import Settings, Switch
from execsvc.workers.channel import Channel, Pipes
from execsvc.workers.main_loop import run_worker
from execsvc.workers.unserved_rows import UnservedRows

POLL = b"poll\n"
"""A request for a listing: all requests within a second make one."""
CONFIRM = b"confirm\n"
"""A request for the second listing of a pair, at once."""
GATHER = 1.0
"""Seconds over which requests are gathered."""
LARGEST_LISTING = 64 * 1024 * 1024
"""Bytes of an answer; the reader drops a longer one."""
_ENVELOPE = 100
"""Bytes of an answer, at most, besides the listing in it."""
_SHORTEST_OPTIONAL = 1.0


class ListingAnswer(BaseModel):
    """One line of this worker: a listing, or the reason why there is none."""

    listing: Listing | None = None
    unchanged: bool = False
    """True when the listing equals the one written last, which is then not written again."""
    failed: str | None = None
    began: float = math.inf
    """The time of the first request of this listing to BotService, by the monotonic clock."""


def run_listing(settings: Settings, pipes: Pipes) -> int:
    """Run the worker until the supervisor is gone. Returns the exit code."""
    return run_worker(settings, "listing", pipes, lambda channel: ListingWorker(settings, channel))


class ListingWorker:
    """Requests one listing after the other."""

    def __init__(self, settings: Settings, channel: Channel) -> None:
        self._channel = channel
        self._service = BotService(
            bot_service_http(settings, self._heartbeat),
            settings.page_size,
            lifecycle=settings.bot_lifecycle is not Switch.OFF,
            optional=_optional(settings),
        )
        switched_off = settings.bot_lifecycle is Switch.OFF
        self._unserved = UnservedRows(self._service, monotonic()) if switched_off else None
        self._interval = settings.poll_interval
        self._due = monotonic()
        self._asked = math.inf
        """The time at which a requested listing is due; infinity when none is requested."""
        self._last = b""

    def step(self) -> float | None:
        """Request a listing if one is due; returns the time of the next, None when no request will come."""
        self._take_requests()
        if min(self._due, self._asked) <= monotonic():
            self._list()
        return None if self._channel.finishing else min(self._due, self._asked)

    def _list(self) -> None:
        """Request one listing and write its result."""
        began, self._asked = monotonic(), math.inf
        # A BotService slower than the interval gets a pause between two listings.
        rest = min(self._interval, 1.0) / 2
        try:
            listing = self._listing()
        except (Unavailable, ValueError) as error:
            self._channel.send(json.dumps({"failed": str(error)}).encode() + b"\n")
            # A request for a listing ends this pause: it may come from BotService itself.
            rest = max(rest, getattr(error, "retry_after", None) or 0.0)
        else:
            what = b'"unchanged":true' if listing == self._last else b'"listing":' + listing
            self._channel.send(b'{"began":%.6f,%b}\n' % (began, what))
            self._last = listing
            self._check_unserved()
        self._due = max(began + self._interval, monotonic() + rest)

    def _listing(self) -> bytes:
        """A listing as JSON. Raises Unavailable, also for one too long for the reader of the answer."""
        listing = self._service.listing().model_dump_json().encode()
        if len(listing) > LARGEST_LISTING - _ENVELOPE:
            raise Unavailable(f"GET /bots: the listing has more than {LARGEST_LISTING} bytes")
        return listing

    def _check_unserved(self) -> None:
        if self._unserved is not None:
            with suppress(Unavailable):
                self._unserved.check(monotonic())

    def _heartbeat(self, interruptible: bool) -> None:
        self._channel.heartbeat(interruptible)
        self._take_requests()

    def _take_requests(self) -> None:
        for line in self._channel.requests():
            gathered = 0.0 if line == CONFIRM.rstrip() else GATHER
            self._asked = min(self._asked, monotonic() + gathered)


def _optional(settings: Settings) -> float | None:
    """Seconds that an optional query of the listing may take; None when no query is optional."""
    if settings.bot_lifecycle is Switch.ON:
        return None
    # Two queries that hang do not make the listing too old (conditions.STALE_AFTER).
    return max(settings.poll_interval, _SHORTEST_OPTIONAL)
