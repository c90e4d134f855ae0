"""Rows that BotService is to be told of a bot's orders, and the starts they belong to."""

from __future__ import annotations

from typing import NamedTuple

from execsvc.model.told import Telling


class Mark(NamedTuple):
    """What names a row of an outbox, also when a power loss has made it be written again."""

    order_id: str
    telling: Telling


class OutboxRow(NamedTuple):
    """One thing to tell; ``body`` is JSON of ToldOrder or ToldExecution, else null."""

    mark: Mark
    body: str


class Start(NamedTuple):
    """One start; ``booting``: BotService was waiting for it, and opens a session when it is told."""

    start_id: str
    booting: bool


BEFORE_MARKS = Start("", booting=False)
"""The last of those by an older service, which writes no marks."""
