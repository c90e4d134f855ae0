"""The wishes for one bot: of BotService, by its row, and of operators."""

from __future__ import annotations

from typing import NamedTuple

from execsvc.model.bot import BotSpec
from execsvc.supervisor.bots.next_step import Listed


class Desired(NamedTuple):
    """The wishes of BotService and of operators for a bot, as far as they are known."""

    listed: Listed = Listed.UNSEEN
    booting: bool = False
    """True while its row is BOOTING."""
    row: BotSpec | None = None
    """The last row that could be used."""
    invalid_name: str = ""
    """The name in the last row that could not be used."""
    row_error: str | None = None
    """The reason why its row, or a change of its row, is not used."""
    refused: BotSpec | None = None
    """The row of a change that its check has refused."""
    closing: bool = False
    """True when the bot was told to stop and liquidate, and was not seen flat since."""
    abandoning: bool = False
    """True while an operator's decision to give up its position is not booked."""
    given_back: str | None = None
    """The reason why a stop is reported to BotService for which no user there has asked."""
