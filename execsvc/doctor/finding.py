"""What was found about one thing: how bad it is, what it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Cause(str, Enum):
    """What kind of fault it is, worst first: a service cannot be judged before its settings."""

    CONFIGURATION = "configuration"
    UNREACHABLE = "unreachable"
    OTHER = "other"


@dataclass(frozen=True)
class Finding:
    """One line about ``check``, and one about what to do unless it is well."""

    check: str
    level: Level
    what: str
    do: str = ""
    cause: Cause = Cause.OTHER


def well(check: str, what: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Level.OK, what)


def warning(check: str, what: str, do: str) -> Finding:
    """It works, and may not go on working."""
    return Finding(check, Level.WARNING, what, do)


def fault(check: str, what: str, do: str, cause: Cause = Cause.OTHER) -> Finding:
    """It does not work, or money is at risk."""
    return Finding(check, Level.FAULT, what, do, cause)


def worst_cause(findings: list[Finding]) -> Cause | None:
    """The cause that an exit code is about; None without a fault."""
    causes = {finding.cause for finding in findings if finding.level is Level.FAULT}
    return next((cause for cause in Cause if cause in causes), None)
