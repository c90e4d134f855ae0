"""BotService: the bots that are to run."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict

from execsvc.clients.http import HttpClient
from execsvc.clients.vanished_bots import VanishedBots
from execsvc.clock import monotonic
from execsvc.errors import CallRefused, Unavailable
from execsvc.model.bot import BotSpec, InvalidRow, RowRefused, parse_row, row_id, row_name

MOST_PAGES = 5000
MOST_ROWS = 100_000
DEFAULT_PAGE = 100
"""Rows that BotService sends when it is not asked for more; it does not say whether there are more."""
MAY_BE_CUT = (
    "EXECSVC_PAGE_SIZE is 0 and BotService sent exactly 100 rows, the size of its default page: there "
    "may be more bots, which are not run; set EXECSVC_PAGE_SIZE to 200"
)
_CALL = "GET /bots"
RUNNING, BOOTING, STOPPING, STOPPED = "RUNNING", "BOOTING", "STOPPING", "STOPPED"
WITH_LIFECYCLE = (BOOTING, RUNNING, STOPPING)
"""The statuses in a bot's order of them: one that changes meanwhile is found at least once."""
PAUSE_FACTOR = 4
"""The pause before a failed optional query is repeated, as a multiple of the time that it took."""


class Listing(BaseModel):
    """One complete listing of the bots that are to run."""

    model_config = ConfigDict(frozen=True)

    bots: dict[str, BotSpec]
    invalid: dict[str, InvalidRow]
    """Rows that cannot be used, by bot id."""
    nameless: list[InvalidRow]
    """Rows without a usable id, each of them."""
    booting: tuple[str, ...] = ()
    """Bots of ``bots`` that are BOOTING: BotService waits for the message that they have started."""
    stopping: tuple[str, ...] = ()
    """Bots that are STOPPING: BotService waits for the message that they are flat; none is to run."""
    unanswered: tuple[str, ...] = ()
    """Optional statuses that were not answered: nothing is known of bots that have them."""
    ended: tuple[str, ...] = ()
    """Bots that were RUNNING and are not to run by their own row, or have none.

    They are known not to be BOOTING, even while that status is not answered.
    """
    unsupported: tuple[str, ...] = ()
    """Bots of ``ended`` that BotService does not know, by its answer."""
    may_be_cut: bool = False
    """True when the listing came without paging, and has as many rows as a default page of
    BotService.
    """


class BotService:
    """Client of the service that says which bots are to run; with ``lifecycle`` also which change.

    ``optional``: the seconds that each page of the bots that change may take, where the listing
    does without them when they fail; None where their failure is the listing's.
    """

    def __init__(
        self,
        http: HttpClient,
        page_size: int,
        lifecycle: bool = False,
        optional: float | None = None,
    ) -> None:
        self._http = http
        self._page_size = page_size
        self._statuses = WITH_LIFECYCLE if lifecycle else (RUNNING,)
        self._optional = optional
        self._faults: dict[str, Unavailable] = {}
        """The error of the last failed optional query."""
        self._paused_until: dict[str, float] = {}
        """The end of its pause, by our monotonic clock."""
        self._vanished = VanishedBots(http, self._statuses)
        self._changes_bots = False
        """True when BotService was seen to start or stop bots by itself: rows have more to tell
        than listings.
        """

    def listing(self) -> Listing:
        """All bots that are to run. Raises Unavailable when any page fails: never a part.

        A status that is optional and not answered is named in the listing.
        """
        found = {status: self._rows_if_available(status) for status in self._statuses}
        answered = {status: rows for status, rows in found.items() if rows is not None}
        unanswered = tuple(status for status, rows in found.items() if rows is None)
        unsupported = tuple(
            status for status in unanswered if isinstance(self._faults[status], CallRefused)
        )
        full = any(rows.received == DEFAULT_PAGE for rows in answered.values())
        self._changes_bots |= any(rows.ids for key, rows in answered.items() if key != RUNNING)
        if BOOTING in unanswered:
            self._add_vanished(answered)
        else:
            self._vanished.all_listed(answered[RUNNING].ids)
        return _merged(answered).model_copy(
            update={
                "unanswered": unanswered,
                "ended": tuple(sorted(self._vanished.ended)),
                "unsupported": unsupported,
                "may_be_cut": full and self._page_size == 0,
            }
        )

    def waiting(self) -> dict[str, frozenset[str]]:
        """The bots that are BOOTING or STOPPING, by status; a status without an answer is left out."""
        found = {status: self._rows_if_available(status) for status in (BOOTING, STOPPING)}
        return {key: frozenset(rows.ids) for key, rows in found.items() if rows is not None}

    def _rows_if_available(self, status: str) -> _StatusRows | None:
        """The rows of ``status``; None when they are optional and not available now."""
        if self._optional is None or status == RUNNING:
            return self._rows(status, self._http.timeout)
        began = monotonic()
        if began < self._paused_until.get(status, began):
            return None
        try:
            return self._rows(status, min(self._optional, self._http.timeout))
        except Unavailable as error:
            # One that hangs must not make every listing late; one that is refused costs nothing.
            ended = monotonic()
            pause = max(PAUSE_FACTOR * (ended - began), error.retry_after or 0.0)
            self._faults[status], self._paused_until[status] = error, ended + pause
            return None

    def _add_vanished(self, answered: dict[str, _StatusRows]) -> None:
        """Add the rows of bots that were RUNNING and may be BOOTING, of which nothing is listed."""
        if self._optional is None or not self._changes_bots:
            return
        listed = {bot_id for rows in answered.values() for bot_id in rows.ids}
        within = min(self._optional, self._http.timeout)
        for row in self._vanished.find_rows(answered[RUNNING].ids, listed, within):
            answered.setdefault(row["status"], _StatusRows(row["status"])).take([row])

    def _rows(self, status: str, within: float) -> _StatusRows:
        rows = _StatusRows(status)
        if self._page_size == 0:
            rows.take(self._page({"status": status}, within))
            return rows
        for _ in range(MOST_PAGES):
            paging = {"skip": rows.received, "limit": self._page_size}
            if not rows.take(self._page({"status": status, **paging}, within)):
                return rows
            if rows.received > MOST_ROWS:
                break
        raise Unavailable(f"{_CALL}: no end after {rows.received} rows")

    def _page(self, params: dict[str, str | int], within: float) -> list[Any]:
        page = self._http.get_within(within, _CALL, "/bots", params)
        if not isinstance(page, list):
            raise Unavailable(f"{_CALL}: the answer is not an array")
        return page


def _merged(found: dict[str, _StatusRows]) -> Listing:
    """The listing by the rows of all statuses: of a bot that has two, the later one counts."""
    latest = {bot_id: status for status, rows in found.items() for bot_id in rows.ids}
    bots: dict[str, BotSpec] = {}
    invalid: dict[str, InvalidRow] = {}
    nameless: dict[str, list[InvalidRow]] = {}
    for status, rows in found.items():
        if status == STOPPING:
            continue  # a bot stops even when its row is malformed
        bots |= {key: spec for key, spec in rows.bots.items() if latest[key] == status}
        invalid |= {key: row for key, row in rows.invalid.items() if latest[key] == status}
        nameless |= rows.nameless
    return Listing(
        bots=bots,
        invalid=invalid,
        nameless=[row for alike in nameless.values() for row in alike],
        booting=tuple(sorted(key for key, status in latest.items() if status == BOOTING)),
        stopping=tuple(sorted(key for key, status in latest.items() if status == STOPPING)),
    )


class _StatusRows:
    """The rows of one status, page by page."""

    def __init__(self, status: str) -> None:
        self._status = status
        self.received = 0
        self._seen: set[str] = set()
        self.bots: dict[str, BotSpec] = {}
        self.nameless: dict[str, list[InvalidRow]] = {}
        """Rows without a usable id, each with the key by which it is recognised: equal rows share
        one.
        """
        self._invalid: dict[str, InvalidRow] = {}

    @property
    def ids(self) -> set[str]:
        """The bots that have this status."""
        return self.bots.keys() | self._invalid.keys()

    @property
    def invalid(self) -> dict[str, InvalidRow]:
        """Rows that cannot be used; an id that has a valid row is not invalid."""
        return {key: row for key, row in self._invalid.items() if key not in self.bots}

    def take(self, page: list[Any]) -> bool:
        """Take a page; True when it brought a row that was not seen before, of any status."""
        self.received += len(page)
        known = len(self._seen)
        alike: Counter[str] = Counter()
        for row in page:
            self._take_row(row, alike)
        return len(self._seen) > known

    def _take_row(self, row: Any, alike: Counter[str]) -> None:
        try:
            bot_id = row_id(row)
        except RowRefused as refused:
            self._take_nameless(row, str(refused), alike)
            return
        self._seen.add(f"id {bot_id}")
        if row.get("status") != self._status or bot_id in self.bots:
            return
        try:
            self.bots[bot_id] = parse_row(row)
        except RowRefused as refused:
            invalid = InvalidRow(name=row_name(row), reason=str(refused))
            self._invalid.setdefault(bot_id, invalid)

    def _take_nameless(self, row: Any, reason: str, alike: Counter[str]) -> None:
        """Take a row without an id, recognised by its content: a page of them must not end the
        listing.

        ``alike`` counts the rows of one page that have the same content: they are as many rows,
        where on another page the same row may have come once more.
        """
        identity = f"row {_digest(row)}"
        self._seen.add(identity)
        if isinstance(row, dict) and row.get("status") != self._status:
            return
        alike[identity] += 1
        same = self.nameless.setdefault(identity, [])
        if len(same) < alike[identity]:
            same.append(InvalidRow(name=row_name(row), reason=reason))


def _digest(row: Any) -> str:
    try:
        text = json.dumps(row, sort_keys=True, default=str)
    except RecursionError:
        text = "too deep"
    return hashlib.sha256(text.encode()).hexdigest()
