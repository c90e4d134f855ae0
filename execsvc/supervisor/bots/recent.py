"""The latest events, for the page for people.

They are the entries of the supervisor's own log, and each change of a position that a report
shows: both are in this process anyway, so that they cost nothing with a thousand bots. To read the
ends of the ledgers instead would take a thousand files for each request of each browser. The full
record of a bot is in its ledger, for ``execsvc log``.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loguru import logger

from execsvc.clock import iso
from execsvc.clock import now as utc_now

if TYPE_CHECKING:
    from loguru import Message

KEPT = 50
LONGEST = 300
PRICE_DIGITS = 9
_NOT_NEWS = frozenset({"status_shown"})


class Recent:
    """The newest events; the oldest is dropped for a new one."""

    def __init__(self) -> None:
        self._events: deque[dict[str, str]] = deque(maxlen=KEPT)
        self._positions: dict[str, dict[str, str | None]] = {}
        """The position that was last noted of each bot."""

    def listen(self) -> None:
        """Take the log entries from now on; to be called after each set-up of the log."""
        logger.add(self._take, level="INFO", format="{message}", catch=True)

    def position(self, bot_id: str, held: dict[str, str | None]) -> None:
        """Note the position of ``bot_id``, when it has changed."""
        before = self._positions.get(bot_id)
        if held == before:
            return
        flat_before = before is None or before["side"] is None
        self._positions[bot_id] = held
        if held["side"] is not None:
            self._add("INFO", "position", bot_id, _position_text(held))
        elif not flat_before:
            self._add("INFO", "position", bot_id, "flat")

    def forget(self, bot_id: str) -> None:
        """Forget the position that was noted of ``bot_id``."""
        self._positions.pop(bot_id, None)

    def shown(self) -> list[dict[str, str]]:
        """Time, level, event, bot and text of each, the newest first."""
        return list(reversed(self._events))

    def _take(self, message: Message) -> None:
        extra = message.record["extra"]
        event = str(extra.get("event", ""))
        if event and event not in _NOT_NEWS:
            level, bot_id = message.record["level"].name, str(extra.get("bot_id", ""))
            self._add(level, event, bot_id, message.record["message"])

    def _add(self, level: str, event: str, bot_id: str, text: str) -> None:
        short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        at = iso(utc_now())
        self._events.append(
            {"at": at, "level": level, "event": event, "bot_id": bot_id, "text": short}
        )


def _position_text(held: dict[str, Any]) -> str:
    short = held["side"] == "SELL"
    amount = f"sold {held['sold_short']} of its owner's" if short else f"holds {held['tracked']}"
    price = held["entry_price"]
    return f"{amount} at {Decimal(price):.{PRICE_DIGITS}g}" if price is not None else amount
