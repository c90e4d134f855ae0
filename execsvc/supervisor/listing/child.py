"""The process that requests listings of BotService, so that the supervisor never waits on the network.

It writes one JSON line for each listing (``{"listing": …}``, ``{"unchanged": true}`` when it
equals the one written last, each with the moment at which it ``began``; ``{"failed": "why"}``) and
``{"alive": true}`` in between. One byte down the request pipe asks for a listing before the
interval has passed.
"""

from __future__ import annotations

import json
import os
import select
import signal
from contextlib import suppress
from typing import Any

import setproctitle

from execsvc import logs
from execsvc.clients.bot_service import BotService
from execsvc.clients.service_http import bot_service_http
from execsvc.clock import monotonic
from execsvc.errors import StopRequested, Unavailable
from execsvc.settings import Settings, Switch
from execsvc.supervisor.listing.in_vain import InVain

POLL = b"p"
"""A request for a listing: all requests within a second make one."""
CONFIRM = b"c"
"""A request of the supervisor for the second listing of a pair, at once."""
GATHER = 1.0
"""Seconds over which requests are gathered."""
BEAT = 2.0
LARGEST_LISTING = 64 * 1024 * 1024
"""Bytes of a message; the reader drops a longer one."""
_ENVELOPE = 100
"""Bytes of a message, at most, besides the listing in it."""
_SHORTEST_OPTIONAL = 1.0
_ALIVE = b'{"alive":true}\n'


def ask_for_ever(settings: Settings, lifeline: int, requests: int, answers: int) -> int:
    """Run the listing child; returns when the lifeline ends."""
    setproctitle.setproctitle("execsvc: listing")
    logs.setup(settings.log_level, settings.log_format)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    asker = _Asker(settings, lifeline, requests, answers)
    try:
        while True:
            asker.list_once()
            asker.wait()
    except (StopRequested, BrokenPipeError):
        return 0


class _Asker:
    """Requests one listing after the other; every wait sends heartbeats."""

    def __init__(self, settings: Settings, lifeline: int, requests: int, answers: int) -> None:
        self._service = BotService(
            bot_service_http(settings, self._pulse),
            settings.page_size,
            lifecycle=settings.bot_lifecycle is not Switch.OFF,
            optional=_optional(settings),
        )
        switched_off = settings.bot_lifecycle is Switch.OFF
        self._in_vain = InVain(self._service, monotonic()) if switched_off else None
        self._interval = settings.poll_interval
        self._lifeline, self._requests, self._answers = lifeline, requests, answers
        self._poll = select.poll()
        self._poll.register(lifeline, select.POLLIN)
        self._poll.register(requests, select.POLLIN)
        self._due = monotonic()
        self._asked = float("inf")
        self._spoke_at = float("-inf")
        self._last = b""

    def list_once(self) -> None:
        """Request one listing and write its result."""
        began, self._asked = monotonic(), float("inf")
        # A BotService slower than the interval gets a pause between two listings.
        rest = min(self._interval, 1.0) / 2
        try:
            listing = self._listing()
        except (Unavailable, ValueError) as error:
            self._say(_json({"failed": str(error)}))
            # A request for a listing ends this pause: it may come from BotService itself.
            rest = max(rest, getattr(error, "retry_after", None) or 0.0)
        else:
            what = b'"unchanged":true' if listing == self._last else b'"listing":' + listing
            self._say(b'{"began":%.6f,%b}\n' % (began, what))
            self._last = listing
            self._look_for_waiting()
        self._due = max(began + self._interval, monotonic() + rest)

    def wait(self) -> None:
        """Wait until the next listing is due. Raises StopRequested when the lifeline ends."""
        while (remaining := min(self._due, self._asked) - monotonic()) > 0:
            self._look(min(remaining, BEAT))
            self._beat()

    def _listing(self) -> bytes:
        """A listing as JSON. Raises Unavailable, also for one too long for the reader of the message."""
        listing = self._service.listing().model_dump_json().encode()
        if len(listing) > LARGEST_LISTING - _ENVELOPE:
            raise Unavailable(f"GET /bots: the listing has more than {LARGEST_LISTING} bytes")
        return listing

    def _look_for_waiting(self) -> None:
        if self._in_vain is not None:
            with suppress(Unavailable):
                self._in_vain.look(monotonic())

    def _pulse(self, interruptible: bool) -> None:
        self._look(0.0)
        self._beat()

    def _look(self, seconds: float) -> None:
        for descriptor, _ in self._poll.poll(seconds * 1000):
            if descriptor == self._lifeline:
                raise StopRequested("LIFELINE")
            self._take(os.read(self._requests, 4096))

    def _take(self, asked: bytes) -> None:
        if not asked:
            raise StopRequested("LIFELINE")
        gathered = 0.0 if CONFIRM in asked else GATHER
        self._asked = min(self._asked, monotonic() + gathered)

    def _beat(self) -> None:
        if monotonic() - self._spoke_at >= BEAT:
            self._say(_ALIVE)

    def _say(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._answers, rest) :]
        self._spoke_at = monotonic()


def _optional(settings: Settings) -> float | None:
    """Seconds that an optional query of the listing may take; None when no query is optional."""
    if settings.bot_lifecycle is Switch.ON:
        return None
    # Two queries that hang do not make the listing too old (conditions.STALE_AFTER).
    return max(settings.poll_interval, _SHORTEST_OPTIONAL)


def _json(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
