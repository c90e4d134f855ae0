"""A fault of the service or of a bot: its kind, its severity, its text."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(str, Enum):
    """The kinds of faults, the gravest first."""

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
    STORE = "store"
    NO_PROCESS = "no_process"


class Severity(str, Enum):
    """The urgency of a condition for an operator."""

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
"""Kinds that do not make ``/health`` degraded, by its contract."""
OF_THE_SERVICE = frozenset({Kind.HALTED, Kind.LISTING, Kind.MASS_STOP})
"""Kinds that are about no bot, and are not judged while the service stops."""


class Condition(NamedTuple):
    """One fault. ``text`` is its line in ``/health``.

    ``subject`` and ``why`` are for a reader without ``/status``: name, symbol, quantity.
    """

    kind: Kind
    bot_id: str
    """The bot; empty when the condition is about none."""
    text: str
    subject: str
    why: str

    @property
    def key(self) -> str:
        """The key by which the same condition is recognised in the next check."""
        return f"{self.kind.value}:{self.bot_id}"

    @property
    def line(self) -> str:
        """The whole condition in one line, for a reader without ``/status``."""
        return f"{self.subject}: {self.why}"

    @property
    def severity(self) -> Severity:
        """The urgency of the condition for an operator."""
        return Severity.WARNING if self.kind in _WARNINGS else Severity.CRITICAL

    @property
    def degrades(self) -> bool:
        """True when the condition makes ``/health`` degraded."""
        return self.kind not in _HARMLESS
