"""What one listing after the other says together: who is new, who changed, who is gone."""

from __future__ import annotations

from collections.abc import Callable

from loguru import logger

from execsvc.clients.bot_service import MAY_BE_CUT, Listing
from execsvc.clock import monotonic
from execsvc.repeats import Repeats
from execsvc.settings import Settings
from execsvc.supervisor.absence import Absence
from execsvc.supervisor.bots import Bots
from execsvc.supervisor.crowds import Crowds
from execsvc.supervisor.guard import MassStopGuard, Pending
from execsvc.supervisor.last_seen import LastSeen

_KEY = "mass stop"


class Polling:
    """Applies listings to ``bots``; ``confirm`` asks for the second listing of a pair."""

    def __init__(self, settings: Settings, bots: Bots, confirm: Callable[[], None]) -> None:
        self._settings = settings
        self._bots = bots
        self._confirm = confirm
        self._absence = Absence()
        self._last_seen = LastSeen()
        self._repeats = Repeats()
        self._crowds = Crowds()
        self._cut_said = False
        self._guard = MassStopGuard(settings.mass_stop_threshold, settings.mass_stop_confirmations)

    @property
    def pending(self) -> Pending | None:
        """A mass stop that waits for more polls."""
        return self._guard.pending

    def take(self, said: Listing, unchanged: bool) -> Listing:
        """A complete listing came in; ``unchanged``: it says what the last one said.

        Returns it with what is known besides of bots that are BOOTING.
        """
        listing = self._last_seen.completed(said)
        if listing.may_be_cut and not self._cut_said:
            self._cut_said = True
            logger.bind(event="listing_may_be_cut").warning("{}", MAY_BE_CUT)
        if not unchanged:
            for line in self._crowds.warnings(self._settings, listing.bots.values()):
                logger.bind(event="account_crowded").warning("{}", line)
            self._bots.listed(listing)
        expected = self._bots.known()
        if not self._last_seen.is_known(said, monotonic()):
            expected -= self._bots.unseen()
        poll = self._absence.listed(listing.bots.keys() | listing.invalid.keys(), expected)
        if poll.again:
            self._confirm()
        if poll.gone is not None:
            stopped = self._guard.judge(poll.gone, self._bots.at_stake())
            self._say(poll.gone)
            self._bots.gone(stopped)
        return listing

    def _say(self, gone: frozenset[str]) -> None:
        pending = self._guard.pending
        if pending is None:
            self._repeats.forget(_KEY)
        elif self._repeats.note(_KEY, monotonic()) is not None:
            logger.bind(event="mass_stop_held_back").critical(
                "{} bots are missing from the listing, of {} that have a runner or a position: "
                "nobody is stopped yet, poll {} of {}",
                len(gone),
                pending.of,
                pending.polls,
                pending.needed,
            )
