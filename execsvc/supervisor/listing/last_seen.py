"""The bots whose start BotService waits for, also while it does not list them. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from execsvc.clients.bot_service import BOOTING, Listing

PATIENCE = 60.0
"""Seconds for which a bot that is not listed may be BOOTING, as long as BotService does not say which
bots are: from the first listing on where an earlier run of the service left it, else since it is missing."""


class LastSeen:
    """The known facts of BOOTING bots, from one listing to the next.

    A listing whose query for them failed does not include them: a bot that was BOOTING before, and
    has no other status now, counts as BOOTING until the query is answered again.
    """

    def __init__(self) -> None:
        self._booting = Listing(bots={}, invalid={}, nameless=[])
        self._stopped: dict[str, float] = {}
        """The times at which rows were seen STOPPED, by the monotonic clock, until a later listing."""
        self._missing_since: dict[str, float] = {}
        """The times since which listings lack bots that may be BOOTING, by the monotonic clock."""
        self._answered = False
        self._changes_bots = False
        """True once BotService has listed BOOTING or STOPPING bots: its users start and stop bots so."""
        self._until: float | None = None

    def stopped(self, bot_id: str, at: float) -> None:
        """Note that by an answer that came at ``at`` the bot's row is STOPPED, and waits for no start."""
        self._stopped[bot_id] = at

    def current(self, listing: Listing, began: float) -> Listing:
        """``listing``, first requested at ``began``, without rows that were seen STOPPED since."""
        old = {bot_id for bot_id, at in self._stopped.items() if at >= began}
        answered = BOOTING not in listing.unanswered
        for bot_id in self._stopped.keys() - old:
            if answered or bot_id in listing.bots or bot_id in listing.invalid:
                del self._stopped[bot_id]  # this listing is later than that answer
        if not old:
            return listing
        return listing.model_copy(
            update={
                "bots": {key: row for key, row in listing.bots.items() if key not in old},
                "invalid": {key: row for key, row in listing.invalid.items() if key not in old},
                "booting": tuple(key for key in listing.booting if key not in old),
                "stopping": tuple(key for key in listing.stopping if key not in old),
            }
        )

    def completed(self, listing: Listing) -> Listing:
        """``listing`` with the bots of the latest one that are still BOOTING as far as is known."""
        whole = listing
        self._changes_bots |= bool(listing.booting or listing.stopping)
        if BOOTING in listing.unanswered:
            before = self._booting
            moved = listing.bots.keys() | listing.invalid.keys() | set(listing.stopping)
            moved |= self._stopped.keys()
            kept = [bot_id for bot_id in before.booting if bot_id not in moved]
            rows = {key: before.bots[key] for key in kept if key in before.bots}
            refused = {key: before.invalid[key] for key in kept if key in before.invalid}
            whole = listing.model_copy(
                update={
                    "bots": {**listing.bots, **rows},
                    "invalid": {**listing.invalid, **refused},
                    # Rows that were requested one by one are among those of the listing itself.
                    "booting": (*listing.booting, *kept),
                }
            )
        else:
            self._answered = True
        self._booting = whole
        return whole

    def unknown(self, listing: Listing, missing: AbstractSet[str], now: float) -> set[str]:
        """Those of the ``missing``, which ``listing`` lacks, that may be BOOTING by now.

        BotService's editor saves a row with the status with which it was loaded: BOOTING, for a bot that
        has been RUNNING since. Unreachable is not empty, but not for longer than ``PATIENCE``: no bot
        may be kept from stopping for ever. A BotService that has never listed a BOOTING or STOPPING
        bot, or refuses the query as an unknown one, has no such rows: with it a failing query changes
        nothing.
        """
        silent = BOOTING in listing.unanswered and BOOTING not in listing.unsupported
        doubtful = missing - set(listing.ended) - self._stopped.keys()
        before = self._missing_since
        known = not (silent and self._changes_bots)
        self._missing_since = {} if known else {key: before.get(key, now) for key in doubtful}
        return {key for key, since in self._missing_since.items() if now < since + PATIENCE}

    def is_known(self, listing: Listing, now: float) -> bool:
        """False while a bot that ``listing`` lacks may be BOOTING without any listing having shown that."""
        if self._until is None:
            self._until = now + PATIENCE
        silent = BOOTING in listing.unanswered and BOOTING not in listing.unsupported
        return self._answered or not silent or now >= self._until
