"""The faults that a test has ordered, and the choice of the one for a request."""

from __future__ import annotations

import random
import threading
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

ANY = "*"
"""Any call by name, but not ANY_OF_BOT_SERVICE."""
ANY_OF_BOT_SERVICE = "bot_service"
"""Any call of BotService, before it does anything else."""


class FaultKind(str, Enum):
    """The kinds of faults. ``execute``, ``fraction`` and ``lag`` go with every kind."""

    REFUSE = "refuse"
    """``status`` (500) with ``detail``, which names insufficient balance unless given."""
    STATUS = "status"
    """``status`` (500) with ``detail`` and ``headers``."""
    RESET = "reset"
    """The connection is reset without an answer."""
    CLOSE = "close"
    """The connection is closed without an answer."""
    HANG = "hang"
    """No answer for ``seconds``, or until the client goes."""
    SLOW = "slow"
    """The right answer, ``seconds`` late."""
    LATE = "late"
    """Executed ``seconds`` later; until then ``status`` at once, else a hang."""
    DRIP = "drip"
    """The right body, a byte every ``seconds`` (1)."""
    DRIP_HEAD = "drip_head"
    """The right answer, a byte every ``seconds`` (1)."""
    LIE = "lie"
    """The right body, cut short of its Content-Length."""
    ENDLESS_HEAD = "endless_head"
    """Headers without an end."""
    GARBAGE = "garbage"
    """200 with a body that is no JSON."""
    BODY = "body"
    """``status`` (200) with ``body``: a string as it is, anything else as JSON."""
    REDIRECT = "redirect"
    """``status`` (307) to ``detail``."""
    PATCH = "patch"
    """The right answer, with ``body`` merged into it."""
    PARTIAL = "partial"
    """``fraction`` (0.5) is filled, the rest canceled."""
    OPEN = "open"
    """``fraction`` (0.5) is filled, the order open; the rest follows after ``seconds``, if given."""
    NULL_FILLED = "null_filled"
    """Executed; ``details.filled`` and what follows from it is null."""
    NO_DETAILS = "no_details"
    """Executed; ``details`` is null."""
    NO_FEE = "no_fee"
    """Executed; no fee is reported."""
    LAG = "lag"
    """Balances show the execution ``seconds`` later; of a balance call: it is so old."""


_BEFORE_EXECUTION = frozenset(
    {
        FaultKind.REFUSE,
        FaultKind.STATUS,
        FaultKind.RESET,
        FaultKind.CLOSE,
        FaultKind.HANG,
        FaultKind.SLOW,
        FaultKind.REDIRECT,
        FaultKind.ENDLESS_HEAD,
    }
)
_HALF = frozenset({FaultKind.PARTIAL, FaultKind.OPEN})


class Match(BaseModel):
    """The requests that a rule is for; an absent member matches all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key_id: str | None = None
    symbol: str | None = None
    side: str | None = None
    bot_id: str | None = None

    def fits(self, subject: Match) -> bool:
        """True when every member that this match names is the subject's."""
        wanted = self.model_dump(exclude_none=True)
        return all(getattr(subject, name) == value for name, value in wanted.items())


class Rule(BaseModel):
    """One fault; members that its kind does not name have no effect."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    call: str = ANY
    """The call that gets the fault, by the name of its function; ANY_OF_BOT_SERVICE; ANY."""
    match: Match = Match()
    times: int | None = Field(default=1, ge=0)
    """The number of requests that get the fault; null: without end."""
    skip: int = Field(default=0, ge=0)
    """The number of matching requests that pass first."""
    chance: float = Field(default=1.0, ge=0, le=1)
    seconds: float | None = Field(default=None, ge=0)
    status: int | None = Field(default=None, ge=200, le=999)
    detail: str | None = None
    execute: bool | None = None
    """True when the exchange executes the order before the fault; null: as is usual for the kind."""
    fraction: Decimal | None = Field(default=None, ge=0, le=1)
    """The part of the order that is filled."""
    lag: float = Field(default=0.0, ge=0)
    """Seconds until balances show the effect of this order."""
    order_status: str | None = None
    """``details.status`` of the answer."""
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)

    @property
    def executes(self) -> bool:
        """True when the order is executed before the fault."""
        return self.kind not in _BEFORE_EXECUTION if self.execute is None else self.execute

    @property
    def filled_part(self) -> Decimal | None:
        """The part of the order that is filled; None: all of it."""
        if self.fraction is None and self.kind in _HALF:
            return Decimal("0.5")
        return self.fraction

    @property
    def execution_delay(self) -> float:
        """Seconds by which this fault delays the execution."""
        delays = self.kind is FaultKind.LATE or (self.kind is FaultKind.SLOW and not self.executes)
        return (self.seconds or 0.0) if delays else 0.0

    @property
    def balance_lag(self) -> float:
        """Seconds until balances show the execution."""
        return (self.seconds or 0.0) if self.kind is FaultKind.LAG else self.lag


class _CountedRule:
    """A rule and its counts."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.matched = 0
        self.hits = 0

    def applies(self, call: str, subject: Match, chance: float) -> bool:
        rule = self.rule
        meant = rule.call == call or (rule.call == ANY and call != ANY_OF_BOT_SERVICE)
        if not meant or not rule.match.fits(subject):
            return False
        if rule.times is not None and self.hits >= rule.times:
            return False
        self.matched += 1
        if self.matched <= rule.skip or chance >= rule.chance:
            return False
        self.hits += 1
        return True


class FaultRules:
    """All rules in the order they were given; the first that applies counts. Thread-safe."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self._rules: list[_CountedRule] = []
        self._rng = random.Random(seed)

    def append(self, rules: list[Rule]) -> None:
        """Let ``rules`` apply_fault from now on, after those that stand."""
        with self._lock:
            self._rules += [_CountedRule(rule) for rule in rules]

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._rules.clear()

    def take(self, call: str, subject: Match) -> Rule | None:
        """The fault of this request, which counts as applied once more; None: no fault."""
        with self._lock:
            for counted in self._rules:
                if counted.applies(call, subject, self._rng.random()):
                    return counted.rule
        return None

    def report(self) -> list[dict[str, Any]]:
        """Each rule with the number of requests that it matched, and that got its fault."""
        with self._lock:
            return [
                {
                    **counted.rule.model_dump(mode="json", exclude_defaults=True),
                    "matched": counted.matched,
                    "hits": counted.hits,
                }
                for counted in self._rules
            ]
