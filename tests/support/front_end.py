"""BotService's own front end, as far as it decides what becomes of a bot: Start, Stop, the looks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from support.deadline import eventually

LOOK = 2.0
"""Seconds between two looks at a row. The front end gives up after 30 s, which is no matter of a test
on a busy machine: here it looks on."""
FEW = 8
"""Rows that are put at the same moment where too many at once were refused."""
MOST = 200
"""Connections that are kept; all rows that are put at the same moment have one each."""
_NEXT = {"BOOTING": "RUNNING", "STOPPING": "STOPPED"}
_BEFORE = {"BOOTING": {"BOOTING"}, "STOPPING": {"STOPPING"}}


class WrongStatus(AssertionError):
    """A row has a status that the front end shows as an error."""


class FrontEnd:
    """Its user presses Start and Stop, many at the same moment, and again where that failed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount(url, HTTPAdapter(pool_maxsize=MOST))
        self.starts: Counter[str] = Counter()
        """The count of starts of each bot."""
        self.wanted: dict[str, str] = {}
        """The wish of the user for each bot: RUNNING or STOPPED."""

    def start(self, bot_ids: Iterable[str]) -> None:
        """Press Start, and look until all are RUNNING. Raises WrongStatus."""
        self.until(self.press_start(bot_ids), "BOOTING")

    def stop(self, bot_ids: Iterable[str]) -> None:
        """Press Stop, and look until all are STOPPED. Raises WrongStatus."""
        self.until(self.press_stop(bot_ids), "STOPPING")

    def press_start(self, bot_ids: Iterable[str]) -> list[str]:
        """Put the rows with BOOTING, all at the same moment; the bots."""
        bots = list(bot_ids)
        self.starts.update(bots)
        return self._press(bots, "BOOTING")

    def press_stop(self, bot_ids: Iterable[str]) -> list[str]:
        """Put the rows with STOPPING, all at the same moment; the bots."""
        return self._press(list(bot_ids), "STOPPING")

    def until(self, bot_ids: Iterable[str], status: str, within: float = 240.0) -> None:
        """Look until every row has left ``status`` for the one hoped for. Raises WrongStatus."""
        waiting = set(bot_ids)
        looked_at = float("-inf")

        def all_have_moved() -> bool:
            nonlocal looked_at, waiting
            if time.monotonic() >= looked_at + LOOK:
                looked_at = time.monotonic()
                waiting -= {bot_id for bot_id in waiting if self._has_moved(bot_id, status)}
            return not waiting

        eventually(all_have_moved, f"{sorted(waiting)} leave {status}", within)

    def status(self, bot_id: str) -> str | None:
        """The status of the row; None when BotService does not answer."""
        row = self._row(bot_id)
        return None if row is None else str(row["status"])

    def moved(self, bot_ids: Iterable[str], status: str) -> set[str]:
        """Those that have left ``status`` for the one hoped for."""
        return {bot_id for bot_id in bot_ids if self._has_moved(bot_id, status)}

    def _has_moved(self, bot_id: str, status: str) -> bool:
        row = self._row(bot_id)
        if row is None:
            return False
        if row["status"] not in {_NEXT[status], *_BEFORE[status]}:
            raise WrongStatus(f"{bot_id} is {row['status']}: {row.get('status_message')}")
        return bool(row["status"] == _NEXT[status])

    def _press(self, bot_ids: list[str], status: str) -> list[str]:
        self.wanted.update(dict.fromkeys(bot_ids, _NEXT[status]))
        rows = {bot_id: self._until_row(bot_id) for bot_id in bot_ids}

        def put(bot_id: str) -> bool:
            return self._put(bot_id, {**rows[bot_id], "status": status})

        with ThreadPoolExecutor(max(len(bot_ids), 1)) as pool:
            taken = list(pool.map(put, bot_ids))
        refused = [bot_id for bot_id, done in zip(bot_ids, taken, strict=True) if not done]
        with ThreadPoolExecutor(FEW) as pool:
            again = pool.map(lambda bot_id: eventually(lambda: put(bot_id), "BotService"), refused)
            assert all(again)
        return bot_ids

    def _until_row(self, bot_id: str) -> dict[str, Any]:
        found = eventually(lambda: self._row(bot_id), f"the row of {bot_id}")
        assert found is not None
        return found

    def _put(self, bot_id: str, row: dict[str, Any]) -> bool:
        try:
            return self._session.put(self._path(bot_id), json=row, timeout=60).ok
        except requests.RequestException:
            return False

    def _row(self, bot_id: str) -> dict[str, Any] | None:
        try:
            answer = self._session.get(self._path(bot_id), timeout=60)
        except requests.RequestException:
            return None
        found: dict[str, Any] | None = answer.json() if answer.ok else None
        return found

    def _path(self, bot_id: str) -> str:
        return f"{self._url}/bots/{quote(bot_id, safe='')}"
