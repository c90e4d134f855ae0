"""The facts that the page is made from, and its table as a test reads it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

FLAT = {"side": None, "tracked": "0", "sold_short": "0", "entry_price": None, "opened_at": None}
HELD = {
    "side": "BUY",
    "tracked": "0.01998",
    "sold_short": "0",
    "entry_price": "50000.25",
    "opened_at": "2026-01-02T03:04:05.000Z",
}


def bot(**changes: Any) -> dict[str, Any]:
    """A bot as ``/status`` has it."""
    return {
        "bot_id": "b1",
        "name": "My bot",
        "strategy": "test_trading_v1",
        "symbol": "BTC/USDT",
        "key_id": "k1",
        "mode": "LIVE",
        "state": "RUNNING",
        "pid": 4250,
        "started_at": None,
        "restarts": 0,
        "ticks": 31,
        "last_tick_at": "2026-01-02T03:04:05.000Z",
        "consecutive_errors": 0,
        "last_error": None,
        "position": FLAT,
        **changes,
    }


def known(*bots: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The answer of the supervisor for the page."""
    counts: dict[str, int] = {}
    for one in bots:
        counts[one["state"]] = counts.get(one["state"], 0) + 1
    status = {
        "version": "0.1.0",
        "pid": 4242,
        "state": "RUNNING",
        "uptime_sec": 7300.0,
        "poll": {
            "interval_sec": 5.0,
            "last_success_at": "2026-01-02T03:04:05.000Z",
            "consecutive_failures": 0,
            "last_error": None,
        },
        "counts": counts,
        "bots": list(bots),
    }
    return {"status": status, "conditions": [], "events": [], **changes}


class Table(HTMLParser):
    """The text of each row of the table of bots."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = self._inside or tag == "tbody"
        if self._inside and tag == "tr":
            self.rows.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "tbody"

    def handle_data(self, data: str) -> None:
        if self._inside and self.rows:
            self.rows[-1] = " ".join(f"{self.rows[-1]} {data}".split())


class Service:
    """The stand-in of ``ask`` in a test."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] | Exception = known(bot())
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer
