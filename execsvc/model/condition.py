"""One thing that is wrong with the service or a bot: its kind, its severity, its text."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(str, Enum):
    """The kinds of what can be wrong, the gravest first."""

    LIQUIDATION = "liquidation"
    LEFT = "left"
    HALTED = "halted"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    HELD = "held"
    CONTESTED = "contested"
    RESTORED = "restored"
    ABANDONED = "abandoned"
    GIVEN_BACK = "given_back"
    MASS_STOP = "mass_stop"
    DAILY_LOSS = "daily_loss"
    STOP_LOSS = "stop_loss"
    READS = "reads"
    LISTING = "listing"
    NO_PROCESS = "no_process"


class Severity(str, Enum):
    """How soon somebody should look."""

    CRITICAL = "critical"
    WARNING = "warning"


_WARNINGS = frozenset(
    {
        Kind.LISTING,
        Kind.DAILY_LOSS,
        Kind.STOP_LOSS,
        Kind.READS,
        Kind.UNAVAILABLE,
        Kind.GIVEN_BACK,
    }
)
_HARMLESS = frozenset(
    {
        Kind.MASS_STOP,
        Kind.LEFT,
        Kind.DAILY_LOSS,
        Kind.STOP_LOSS,
        Kind.ABANDONED,
        Kind.GIVEN_BACK,
    }
)
"""What ``/health`` does not call degraded, by its contract."""
OF_THE_SERVICE = frozenset({Kind.HALTED, Kind.LISTING, Kind.MASS_STOP})
"""What is about no bot, and is not looked at while the service stops."""


class Condition(NamedTuple):
    """One thing that is wrong. ``text`` is what ``/health`` says of it.

    ``subject`` and ``why`` say the same to somebody who sees nothing else: name, symbol, quantity.
    """

    kind: Kind
    bot_id: str
    """Empty when it is about no bot."""
    text: str
    subject: str
    why: str

    @property
    def key(self) -> str:
        """What it is the same as, the next time somebody looks."""
        return f"{self.kind.value}:{self.bot_id}"

    @property
    def line(self) -> str:
        """All of it, to somebody who sees nothing else."""
        return f"{self.subject}: {self.why}"

    @property
    def severity(self) -> Severity:
        """How soon somebody should look."""
        return Severity.WARNING if self.kind in _WARNINGS else Severity.CRITICAL

    @property
    def degrades(self) -> bool:
        """True when ``/health`` is degraded by it."""
        return self.kind not in _HARMLESS
