"""The hold of one bot, HELD or FAILED, and the decision about a signal that may lead to one."""

from __future__ import annotations

import math
from typing import NamedTuple

from execsvc.model.bot import BotSpec
from execsvc.supervisor.bots.states import State


class Hold(NamedTuple):
    """A decision that stands until an event ends it: HELD or FAILED."""

    state: State
    detail: str
    keeps: bool = False
    row: BotSpec | None = None
    """The row a FAILED bot had; another one ends the hold."""
    unsure: bool = False
    """True when the bot is HELD only because the record of HELD bots cannot be read."""
    foreign: bool = False
    """True when the bot is FAILED as another service, which may also run it, trades its account."""


class PendingSignalDecision(NamedTuple):
    """A decision about a runner that ended on a signal from outside: other runners may have, too."""

    due: float
    signalled_at: float
    keeps: bool
    retry_at: float
    """The time of the liquidation of what the runner left, if the bot turns out to be HELD."""


class HoldRecord(NamedTuple):
    """The hold of a bot, if there is one. Moments are seconds of the loop's own clock."""

    hold: Hold | None = None
    pending: PendingSignalDecision | None = None
    signalled_at: float = -math.inf
    """The time at which its runner last stopped on a signal from outside the service."""

    @property
    def is_failed(self) -> bool:
        """True while the bot is FAILED."""
        return self.hold is not None and self.hold.state is State.FAILED

    @property
    def is_held(self) -> bool:
        """True while the bot is HELD."""
        return self.hold is not None and self.hold.state is State.HELD
