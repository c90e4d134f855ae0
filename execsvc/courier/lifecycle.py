"""Tells BotService that bots have started or stopped, when its front end waits for that."""

from __future__ import annotations

from typing import Literal, NamedTuple

from execsvc.clients.bot_reports import BotReports, ReportRefused
from execsvc.clock import monotonic
from execsvc.courier.patience import Patience
from execsvc.errors import Unavailable
from execsvc.events import EventName
from execsvc.logs import bound
from execsvc.repeats import Repeats

LONGEST_DELAY = 10.0
"""Seconds between two tries for one bot, at most: somebody sits in front of it."""
SHORTEST_BELIEF = 5.0
"""Seconds, at least, for which a listing may still show what was before our word."""

Word = Literal["start", "stop"]


class _Word(NamedTuple):
    word: Word
    at: float


class Lifecycle:
    """Says of a bot what was asked for last, and only while that is new.

    The supervisor asks anew at each listing until that shows it; what it does not ask for any
    more must not be said, as the user may have thought better of it.
    """

    def __init__(self, service: BotReports, patience: Patience, interval: float) -> None:
        self._service = service
        self._patience = patience
        self._belief = max(2 * interval, SHORTEST_BELIEF)
        self._asked: dict[str, _Word] = {}
        self._said: dict[str, _Word] = {}
        self._repeats = Repeats()

    def ask(self, bot_id: str, word: Word) -> None:
        """``word`` is due for a bot, by a listing and by what its process does."""
        now, said = monotonic(), self._said.get(bot_id)
        if said is None or said.word != word or now >= said.at + self._belief:
            self._asked[bot_id] = _Word(word, now)

    def withdraw(self, bot_id: str) -> None:
        """BotService waits for another word of this bot by now, or for none."""
        self._asked.pop(bot_id, None)

    def next_moment(self) -> float:
        """When :meth:`step` may have something to do; infinity when nothing was asked for."""
        return min(map(self._patience.due, self._asked), default=float("inf"))

    def step(self) -> bool:
        """Say one thing; False when there is nothing to say now."""
        now = monotonic()
        for asked in (self._asked, self._said):
            for bot_id in [key for key, word in asked.items() if now >= word.at + self._belief]:
                del asked[bot_id]
        for bot_id, word in self._asked.items():
            if self._patience.ready(bot_id, now):
                del self._asked[bot_id]
                self._say(bot_id, word.word)
                return True
        return False

    def _say(self, bot_id: str, word: Word) -> None:
        try:
            if word == "start":
                self._service.started(bot_id)
            else:
                self._service.stopped(bot_id)
        except Unavailable as error:
            self._failed(bot_id, word, error)
            return
        self._patience.succeeded(bot_id)
        self._repeats.forget(bot_id)
        self._said[bot_id] = _Word(word, monotonic())
        told: EventName = "bot_start_told" if word == "start" else "bot_stop_told"
        bound(bot_id=bot_id).bind(event=told).info("BotService was told: {}", word)

    def _failed(self, bot_id: str, word: Word, error: Unavailable) -> None:
        if isinstance(error, ReportRefused):
            self._patience.refused(bot_id, monotonic())
        else:
            self._patience.unanswered(bot_id, monotonic(), error.retry_after)
        if self._repeats.note(bot_id, monotonic()) is not None:
            bound(bot_id=bot_id).bind(event="bot_word_failed").warning(
                "BotService was not told: {}, it is tried again while it waits for it: {}",
                word,
                error,
            )
