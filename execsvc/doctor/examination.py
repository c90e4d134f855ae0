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
from execsvc.doctor.finding import Cause, Finding, fault, warning, well
from execsvc.errors import ConfigRefused
from execsvc.settings import Settings, warnings
from execsvc.store.opening import open_store

_SETTINGS = "settings"
_MEND = "mend it in the env file (as root, where that is root's): execsvc help settings"


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
    found = unit.ask(target.unit)
    services, listing = reach.look(settings)
    bots = 0 if listing is None else len(listing.bots)
    owner = None if found is None else found.uid
    return [
        *_settings(settings),
        *services,
        *permissions.look(settings, owner, target.env_file),
        *disk.look(store.place()),
        *ledgers.look(store),
        *restored.look(settings),
        *accounts.look(settings, listing, found),
        *unit.look(found, settings),
        *limits.look(bots, found),
        *journal.look(found),
        *daemon.look(settings, found),
    ]


def examine_without_settings(name: str, refused: ConfigRefused) -> list[Finding]:
    """The findings that are possible when the settings are refused."""
    found = unit.ask(name)
    return [
        *(fault(_SETTINGS, line, _MEND, Cause.CONFIGURATION) for line in refused.faults),
        *unit.look(found, None),
        *limits.look(0, found),
        *journal.look(found),
    ]


def _settings(settings: Settings) -> list[Finding]:
    lines = warnings(settings)
    if not lines:
        return [well(_SETTINGS, f"valid; state in {open_store(settings).place().name}")]
    return [warning(_SETTINGS, line, _MEND) for line in lines]
