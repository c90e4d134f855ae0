"""The effects of successive listings: bots that are new, changed, or gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from loguru import logger

from execsvc.clients.bot_service import MAY_BE_CUT, Listing
from execsvc.clock import monotonic
from execsvc.repeats import Repeats
from execsvc.settings import Settings
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.listing.absence import Absence, MassStopGuard, Pending
from execsvc.supervisor.listing.crowded_accounts import CrowdedAccounts
from execsvc.supervisor.listing.last_seen import LastSeen

_KEY = "mass stop"


class AppliedListing(NamedTuple):
    """The result of one listing."""

    current: Listing
    """The listing, without rows that are known to be STOPPED by now."""
    whole: Listing
    """The same with the bots that are known to be BOOTING besides."""


class ListingReconciler:
    """Applies listings to ``bots``; ``confirm`` asks for the second listing of a pair."""

    def __init__(self, settings: Settings, bots: Bots, confirm: Callable[[], None]) -> None:
        self._settings = settings
        self._bots = bots
        self._confirm = confirm
        self._absence = Absence()
        self._last_seen = LastSeen()
        self._repeats = Repeats()
        self._crowded = CrowdedAccounts()
        self._cut_logged = False
        self._guard = MassStopGuard(settings.mass_stop_threshold, settings.mass_stop_confirmations)

    @property
    def pending(self) -> Pending | None:
        """A mass stop that waits for more polls."""
        return self._guard.pending

    def take(self, given: Listing, unchanged: bool, began: float) -> AppliedListing:
        """Apply a complete listing; ``unchanged``: it equals the last one.

        ``began``: the time of its first request to BotService, by the monotonic clock.
        """
        current = self._last_seen.current(given, began)
        listing = self._last_seen.completed(current)
        ids = listing.bots.keys() | listing.invalid.keys()
        if listing.may_be_cut and not self._cut_logged:
            self._cut_logged = True
            logger.bind(event="listing_may_be_cut").warning("{}", MAY_BE_CUT)
        # A bot that was stopped since may be listed as before, when its user has started it again.
        if not unchanged or ids - self._bots.known():
            for line in self._crowded.warnings(self._settings, listing.bots.values()):
                logger.bind(event="account_crowded").warning("{}", line)
            self._bots.listed(listing)
        expected = self._bots.known()
        if not self._last_seen.is_known(current, monotonic()):
            expected -= self._bots.unseen()
        expected -= self._last_seen.unknown(current, expected - ids, monotonic())
        poll = self._absence.listed(ids, expected)
        if poll.again:
            self._confirm()
        if poll.gone is not None:
            stopped = self._guard.confirmed(poll.gone, self._bots.at_stake())
            self._log_pending(poll.gone)
            self._bots.gone(stopped)
        return AppliedListing(current, listing)

    def row_stopped(self, bot_id: str, at: float) -> None:
        """Note that by an answer of BotService that came at ``at`` (monotonic) the bot's row is STOPPED."""
        self._last_seen.stopped(bot_id, at)
        self._bots.row_stopped(bot_id)

    def await_row(self, bot_id: str) -> None:
        """Let no row start the bot but one of a listing that begins after this moment.

        A stop of its row may be on its way to BotService, which no listing shows yet.
        """
        self._last_seen.stopped(bot_id, monotonic())
        self._bots.row_stopped(
            bot_id, "a stop was reported to BotService: its next listing decides"
        )

    def _log_pending(self, gone: frozenset[str]) -> None:
        pending = self._guard.pending
        if pending is None:
            self._repeats.forget(_KEY)
        elif self._repeats.note(_KEY, monotonic()) is not None:
            logger.bind(event="mass_stop_held_back").critical(
                "{} bots are missing from the listing, of {} that have a runner or a position: "
                "no bot is stopped yet, poll {} of {}",
                len(gone),
                pending.of,
                pending.polls,
                pending.needed,
            )
