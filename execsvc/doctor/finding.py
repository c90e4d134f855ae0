"""A finding of a check: its level, its text, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FindingLevel(str, Enum):
    """The level of a finding."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Cause(str, Enum):
    """The kinds of faults, worst first: a fault of the settings may explain one of a service."""

    CONFIGURATION = "configuration"
    UNREACHABLE = "unreachable"
    OTHER = "other"


@dataclass(frozen=True)
class Finding:
    """One line about ``check``, and one with the remedy unless the check passed."""

    check: str
    level: FindingLevel
    what: str
    do: str = ""
    cause: Cause = Cause.OTHER


def passed(check: str, what: str) -> Finding:
    """A finding that calls for no action."""
    return Finding(check, FindingLevel.OK, what)


def warning(check: str, what: str, do: str) -> Finding:
    """A finding about a part that works, but may fail later."""
    return Finding(check, FindingLevel.WARNING, what, do)


def fault(check: str, what: str, do: str, cause: Cause = Cause.OTHER) -> Finding:
    """A finding about a part that does not work, or that puts money at risk."""
    return Finding(check, FindingLevel.FAULT, what, do, cause)


def worst_cause(findings: list[Finding]) -> Cause | None:
    """The cause that decides the exit code; None without a fault."""
    causes = {finding.cause for finding in findings if finding.level is FindingLevel.FAULT}
    return next((cause for cause in Cause if cause in causes), None)
