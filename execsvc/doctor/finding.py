"""A finding of a check: its level, its text, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
    """The level of a finding."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Cause(str, Enum):
    """The kinds of faults, worst first: a service cannot be judged before its settings."""

    CONFIGURATION = "configuration"
    UNREACHABLE = "unreachable"
    OTHER = "other"


@dataclass(frozen=True)
class Finding:
    """One line about ``check``, and one with the remedy unless it is well."""

    check: str
    level: Level
    what: str
    do: str = ""
    cause: Cause = Cause.OTHER


def well(check: str, what: str) -> Finding:
    """A finding without anything to do."""
    return Finding(check, Level.OK, what)


def warning(check: str, what: str, do: str) -> Finding:
    """A finding about a part that works, but may fail later."""
    return Finding(check, Level.WARNING, what, do)


def fault(check: str, what: str, do: str, cause: Cause = Cause.OTHER) -> Finding:
    """A finding about a part that does not work, or that puts money at risk."""
    return Finding(check, Level.FAULT, what, do, cause)


def worst_cause(findings: list[Finding]) -> Cause | None:
    """The cause that decides the exit code; None without a fault."""
    causes = {finding.cause for finding in findings if finding.level is Level.FAULT}
    return next((cause for cause in Cause if cause in causes), None)
