"""BotService: the rows, and the faults of its listing."""

from __future__ import annotations

import random
import threading
import uuid
from datetime import datetime, timezone
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from execsvc.clock import Clock

USUAL_LIMIT = 100


def stamp(moment: datetime) -> str:
    """``moment`` as BotService writes it: UTC without a zone."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")


class ListingFaults(BaseModel):
    """The way in which ``GET /bots`` answers; each default is a service without faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cap: int | None = Field(default=None, ge=1)
    """The most rows of a page."""
    ignore_paging: bool = False
    ignore_status: bool = False
    shuffle: bool = False
    """True when every page comes from another order of the rows."""
    repeat: int = Field(default=0, ge=0)
    """Rows of a page that come twice in it."""
    body: Any = None
    """Answered instead of any page: a string as it is, anything else as JSON."""
    status: int = Field(default=200, ge=200, le=999)


class BotRows:
    """The rows of BotService. Any JSON can be a row. Safe for threads."""

    def __init__(self, clock: Clock, rows: list[Any], seed: int) -> None:
        self.listing = ListingFaults()
        self._clock = clock
        self._lock = threading.Lock()
        self._rows: list[Any] = list(rows)
        self._rng = random.Random(seed)
        self._replaced = _ids(rows)

    def replace(self, rows: list[Any]) -> None:
        """Replace all rows; bots that had a row before stay known."""
        with self._lock:
            self._replaced |= _ids(self._rows) | _ids(rows)
            self._rows = list(rows)

    def knows(self, bot_id: str) -> bool:
        """True unless there never was such a bot, or it was removed."""
        with self._lock:
            return bot_id in self._replaced or self._find(bot_id) is not None

    def page(self, status: str | None, skip: int, limit: int) -> list[Any]:
        """One page of the rows of that status, as the :class:`Listing` orders."""
        listing = self.listing
        with self._lock:
            rows = list(self._rows)
            if listing.shuffle:
                self._rng.shuffle(rows)
        if status is not None and not listing.ignore_status:
            rows = [row for row in rows if _status(row) in (status, None)]
        if not listing.ignore_paging:
            rows = rows[skip : skip + min(limit, listing.cap or limit)]
        return rows + rows[: listing.repeat]

    def get(self, bot_id: str) -> dict[str, Any] | None:
        """The row of a bot, if there is one."""
        with self._lock:
            return self._find(bot_id)

    def add(self, row: dict[str, Any]) -> dict[str, Any]:
        """Add a bot; id, status and times are filled in where they lack."""
        made = stamp(self._clock.now())
        usual = {"id": str(uuid.uuid4()), "status": "STOPPED", "status_message": None}
        whole = {**usual, "created_at": made, "updated_at": made, **row}
        with self._lock:
            self._rows.append(whole)
        return whole

    def change(self, bot_id: str, members: dict[str, Any]) -> dict[str, Any] | None:
        """Change ``members`` of a bot's row; returns the row, if there is one."""
        with self._lock:
            row = self._find(bot_id)
            if row is None:
                return None
            changed = {**row, "updated_at": stamp(self._clock.now()), **members}
            self._rows[self._rows.index(row)] = changed
            return changed

    def remove(self, bot_id: str) -> bool:
        """Forget a bot. False when there is none."""
        with self._lock:
            row = self._find(bot_id)
            if row is not None:
                self._rows.remove(row)
                self._replaced.discard(bot_id)
            return row is not None

    def _find(self, bot_id: str) -> dict[str, Any] | None:
        for row in self._rows:
            if isinstance(row, dict) and row.get("id") == bot_id:
                return row
        return None


def _ids(rows: list[Any]) -> set[str]:
    return {row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)}


def _status(row: Any) -> Any:
    """The status of a row; None, which fits all, when the row is not even an object."""
    return row.get("status") if isinstance(row, dict) else None
