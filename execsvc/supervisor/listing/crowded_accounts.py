"""Warnings about accounts whose bots cannot all be sold within the time of a shutdown. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from execsvc.model.bot import BotSpec, Mode
from execsvc.settings import Settings

SELL_SECONDS = 0.5
"""Seconds of the account's turn for one sell: a balance and an order at 0.1 to 0.2 s each."""


class CrowdedAccounts:
    """Warns once of each account with too many bots, and again when it has more."""

    def __init__(self) -> None:
        self._warned: dict[str, int] = {}

    def warnings(self, settings: Settings, rows: Iterable[BotSpec]) -> list[str]:
        """A line for each account whose live bots, sold one after the other, take too long."""
        live = Counter(row.binding.key_id for row in rows if row.binding.mode is Mode.LIVE)
        lines = []
        for key_id, count in live.items():
            needed = count * SELL_SECONDS
            if needed > settings.shutdown_timeout and count > self._warned.get(key_id, 0):
                self._warned[key_id] = count
                lines.append(
                    f"account {key_id} has {count} live bots, whose sells take turns: at"
                    f" {SELL_SECONDS:g} s each they need {needed:g} s, and"
                    f" EXECSVC_SHUTDOWN_TIMEOUT is {settings.shutdown_timeout:g} s"
                )
        return lines
