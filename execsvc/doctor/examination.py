"""All checks, in the order in which one finding explains the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from execsvc.doctor import (
    accounts,
    daemon,
    disk,
    journal,
    ledgers,
    limits,
    permissions,
    reach,
    restored,
    unit,
)
from execsvc.doctor.finding import Cause, Finding, fault, passed, warning
from execsvc.errors import ConfigRefused
from execsvc.settings import Settings, warnings
from execsvc.store.opening import open_store

_SETTINGS = "settings"
_CORRECT = (
    "correct the setting in the env file (as root, where root owns it): execsvc help settings"
)


@dataclass(frozen=True)
class ExaminationTarget:
    """The subject of the checks: the settings, the file some of them came from, and the unit's
    name.
    """

    settings: Settings
    env_file: Path | None
    unit: str


def examine(target: ExaminationTarget) -> list[Finding]:
    """Every finding about ``target``."""
    settings = target.settings
    store = open_store(settings)
    found = unit.read(target.unit)
    services, listing = reach.check(settings)
    bots = 0 if listing is None else len(listing.bots)
    owner = None if found is None else found.uid
    return [
        *_settings(settings),
        *services,
        *permissions.check(settings, owner, target.env_file),
        *disk.check(store.place()),
        *ledgers.check(store),
        *restored.check(settings),
        *accounts.check(settings, listing, found),
        *unit.check(found, settings),
        *limits.check(bots, found),
        *journal.check(found),
        *daemon.check(settings, found),
    ]


def examine_without_settings(name: str, refused: ConfigRefused) -> list[Finding]:
    """The findings that are possible when the settings are refused."""
    found = unit.read(name)
    return [
        *(fault(_SETTINGS, line, _CORRECT, Cause.CONFIGURATION) for line in refused.faults),
        *unit.check(found, None),
        *limits.check(0, found),
        *journal.check(found),
    ]


def _settings(settings: Settings) -> list[Finding]:
    lines = warnings(settings)
    if not lines:
        return [passed(_SETTINGS, f"valid; state in {open_store(settings).place().name}")]
    return [warning(_SETTINGS, line, _CORRECT) for line in lines]
