"""The supervisor's end of the listing child: its lines in, requests for a listing out."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from datetime import datetime
from functools import partial

from loguru import logger
from pydantic import BaseModel, ValidationError

from execsvc.clients.bot_service import Listing
from execsvc.clock import now as utc_now
from execsvc.repeats import Repeats
from execsvc.supervisor.attendant import Attendant
from execsvc.supervisor.child import Child
from execsvc.supervisor.context import Context
from execsvc.supervisor.listing_child import CONFIRM, LARGEST_LISTING, POLL, ask_for_ever
from execsvc.supervisor.pipes import Lines


class Message(BaseModel):
    """One line of the listing child; exactly one member is set."""

    listing: Listing | None = None
    unchanged: bool = False
    failed: str | None = None
    alive: bool = False


class Feed:
    """Complete listings, one after the other, through ``take``."""

    def __init__(
        self,
        context: Context,
        selector: selectors.BaseSelector,
        take: Callable[[Listing, bool], None],
    ) -> None:
        self._context = context
        self._selector = selector
        self._take = take
        self._attendant = Attendant(context, "listing", self._fork)
        self._lines: Lines | None = None
        self._requests: int | None = None
        self._latest: Listing | None = None
        self._repeats = Repeats()
        self._heard_at = context.clock.now
        self._since = context.clock.now
        self.last_success_at: datetime | None = None
        self.failures = 0
        self.last_error: str | None = None

    @property
    def key(self) -> str:
        """What its timers are asked under."""
        return self._attendant.key

    def start(self) -> None:
        """Start the child; its first act is a listing."""
        self._attendant.start()

    def poll(self) -> None:
        """Somebody wants a listing now."""
        self._ask(POLL)

    def confirm(self) -> None:
        """The second listing of a pair is wanted, at once."""
        self._ask(CONFIRM)

    def replace(self) -> None:
        """Its settings changed: a new child, which lists at once."""
        self._attendant.replace()

    def died(self, child: Child, code: int) -> bool:
        """A child was reaped; False when it was another."""
        if child is not self._attendant.child:
            return False
        self._close()
        self._attendant.ended(code)
        return True

    def due(self) -> None:
        """Look whether it is to be started, or hangs."""
        self._attendant.due()
        if self._attendant.child is None:
            return
        self._read()
        silent_until = self._heard_at + self._context.settings.hang_timeout
        if silent_until <= self._context.clock.now:
            logger.bind(event="listing_hung").error("the listing process hangs and is replaced")
            self._attendant.replace()
        self._context.timers.ask(self.key, max(silent_until, self._context.clock.now + 1.0))

    def stop(self) -> None:
        """No more listings."""
        self._attendant.retire()
        if self._attendant.child is not None:
            self._context.children.kill(self._attendant.child)

    def age(self) -> float:
        """Seconds since the last good listing, or since the start when there was none."""
        return self._context.clock.now - self._since

    def _fork(self) -> Child:
        answers, write = os.pipe2(os.O_CLOEXEC)
        read, requests = os.pipe2(os.O_CLOEXEC)
        context = self._context
        work = partial(ask_for_ever, context.settings, context.children.lifeline, read, write)
        try:
            child = context.children.fork(work, {read, write})
        except OSError:
            os.close(answers)
            os.close(requests)
            raise
        finally:
            os.close(write)
            os.close(read)
        os.set_blocking(answers, False)
        os.set_blocking(requests, False)
        self._lines, self._requests = Lines(answers, LARGEST_LISTING), requests
        self._selector.register(answers, selectors.EVENT_READ, self._read)
        self._heard_at = context.clock.now
        context.timers.ask(self.key, self._heard_at + context.settings.hang_timeout)
        return child

    def _close(self) -> None:
        if self._lines is not None and self._requests is not None:
            self._quiet()
            self._lines.close()
            os.close(self._requests)
        self._lines = self._requests = None

    def _quiet(self) -> None:
        if self._lines is not None and self._lines.descriptor in self._selector.get_map():
            self._selector.unregister(self._lines.descriptor)

    def _ask(self, what: bytes) -> None:
        if self._requests is not None:
            try:
                os.write(self._requests, what)
            except (BlockingIOError, BrokenPipeError):
                return  # it has many requests unread, or is about to be replaced and lists then

    def _read(self) -> None:
        if self._lines is None:
            return
        for line in self._lines.read():
            self._heard_at = self._context.clock.now
            try:
                message = Message.model_validate_json(line)
            except ValidationError as error:
                message = Message(failed=f"the listing process wrote nonsense: {error}")
            self._obey(message)
        if self._lines.ended:
            self._quiet()

    def _obey(self, message: Message) -> None:
        if message.failed is not None:
            self._failed(message.failed)
        listing = message.listing or (self._latest if message.unchanged else None)
        if listing is not None:
            self._succeeded()
            unchanged = listing is self._latest
            self._latest = listing
            self._take(listing, unchanged)

    def _failed(self, why: str) -> None:
        self.failures += 1
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
        self.last_success_at, self._since = utc_now(), self._context.clock.now
