"""Limits that an entry has to keep: it is refused beyond one, and an exit never is."""

from execsvc.execution.guards.entry_guards import Guards
from execsvc.execution.guards.limits import NO_LIMITS, GuardLimits, limits_of

__all__ = ["NO_LIMITS", "GuardLimits", "Guards", "limits_of"]
