"""BotService: which bots are to run."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict

from execsvc.clients.http import HttpClient
from execsvc.errors import Unavailable
from execsvc.model.bot import BotSpec, RowRefused, check_bot_id, parse_row

MOST_PAGES = 5000
MOST_ROWS = 100_000
_CALL = "GET /bots"
_RUNNING = "RUNNING"


class Listing(BaseModel):
    """One complete listing of the bots that are to run."""

    model_config = ConfigDict(frozen=True)

    bots: dict[str, BotSpec]
    invalid: dict[str, str]
    """Why a row cannot be used, by bot id."""
    nameless: list[str]
    """Why rows without a usable id cannot be used."""


class BotService:
    """The service that says which bots are to run."""

    def __init__(self, http: HttpClient, page_size: int) -> None:
        self._http = http
        self._page_size = page_size

    def listing(self) -> Listing:
        """All bots that are to run. Raises Unavailable when any page fails: never a part."""
        rows = _Rows()
        if self._page_size == 0:
            rows.take(self._page({"status": _RUNNING}))
            return rows.listing()
        for _ in range(MOST_PAGES):
            paging = {"skip": rows.received, "limit": self._page_size}
            if not rows.take(self._page({"status": _RUNNING, **paging})):
                return rows.listing()
            if rows.received > MOST_ROWS:
                break
        raise Unavailable(f"{_CALL}: no end after {rows.received} rows")

    def _page(self, params: dict[str, str | int]) -> list[Any]:
        page = self._http.get(_CALL, "/bots", params)
        if not isinstance(page, list):
            raise Unavailable(f"{_CALL}: the answer is not an array")
        return page


class _Rows:
    """The rows of a listing, page by page."""

    def __init__(self) -> None:
        self.received = 0
        self._seen: set[str] = set()
        self._bots: dict[str, BotSpec] = {}
        self._invalid: dict[str, str] = {}
        self._nameless: list[str] = []

    def take(self, page: list[Any]) -> bool:
        """Takes a page; True when it brought a row that was not seen before, of any status."""
        self.received += len(page)
        known = len(self._seen)
        for row in page:
            self._take_row(row)
        return len(self._seen) > known

    def listing(self) -> Listing:
        """What was taken; an id that has a valid row is not invalid."""
        invalid = {key: why for key, why in self._invalid.items() if key not in self._bots}
        return Listing(bots=self._bots, invalid=invalid, nameless=self._nameless)

    def _take_row(self, row: Any) -> None:
        try:
            bot_id = check_bot_id(row.get("id") if isinstance(row, dict) else None)
        except RowRefused as refused:
            self._take_nameless(row, str(refused))
            return
        self._seen.add(f"id {bot_id}")
        if row.get("status") != _RUNNING or bot_id in self._bots:
            return
        try:
            self._bots[bot_id] = parse_row(row)
        except RowRefused as refused:
            self._invalid.setdefault(bot_id, str(refused))

    def _take_nameless(self, row: Any, reason: str) -> None:
        """Such a row is known again by its content: a page of them must not end the listing."""
        identity = f"row {_digest(row)}"
        if identity in self._seen:
            return
        self._seen.add(identity)
        if not isinstance(row, dict):
            self._nameless.append("row is not an object")
        elif row.get("status") == _RUNNING:
            self._nameless.append(reason)


def _digest(row: Any) -> str:
    try:
        text = json.dumps(row, sort_keys=True, default=str)
    except RecursionError:
        text = "too deep"
    return hashlib.sha256(text.encode()).hexdigest()
