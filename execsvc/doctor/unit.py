"""The systemd unit: checks that the unit exists, is complete, and fits the settings."""

from __future__ import annotations

import math
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from execsvc.doctor.finding import Cause, Finding, fault, passed, warning
from execsvc.doctor.timespan import seconds
from execsvc.settings import Settings
from execsvc.settings.unit_times import UnitTimes, unit_faults, unit_warnings

ANSWER_SECONDS = 10.0
"""Seconds that systemd has to answer."""
_CHECK = "unit"
_BOOTED = Path("/run/systemd/system")
"""A directory on every machine that systemd has booted, see sd_booted(3)."""
_PROPERTIES = (
    "LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts,NeedDaemonReload,MainPID,User,"
    "Type,KillMode,OOMPolicy,TimeoutStartUSec,TimeoutStopUSec,TimeoutAbortUSec,WatchdogUSec,"
    "LimitNOFILE,TasksMax,LogRateLimitIntervalUSec,LogRateLimitBurst"
)
_EXPECTED = {
    "Type": ("notify", "systemd would not wait until the service is ready"),
    "KillMode": ("control-group", "bots would be killed, or live on, when their supervisor dies"),
    "OOMPolicy": ("continue", "one bot without memory would end all of them"),
}


@dataclass(frozen=True)
class Unit:
    """The properties of a unit by ``systemctl show``."""

    name: str
    properties: dict[str, str]

    @property
    def is_loaded(self) -> bool:
        """True when systemd knows the unit."""
        return self.properties.get("LoadState") == "loaded"

    @property
    def is_active(self) -> bool:
        """True while the unit runs."""
        return self.properties.get("ActiveState") in ("active", "activating", "reloading")

    @property
    def main_pid(self) -> int | None:
        """The pid of the supervisor, while there is one."""
        return self.number("MainPID") or None

    @property
    def uid(self) -> int | None:
        """The uid that the unit runs as; None when it is not loaded or its user is not known."""
        user = self.properties.get("User", "")
        if not self.is_loaded:
            return None
        with suppress(KeyError):
            return pwd.getpwnam(user or "root").pw_uid
        return None

    def number(self, name: str) -> int | None:
        """A property that is a number; None when it is not, ``infinity`` for example."""
        text = self.properties.get(name, "")
        return int(text) if text.isdigit() else None


def read(name: str) -> Unit | None:
    """The unit ``name`` as systemd knows it; None where there is no systemd."""
    if not _BOOTED.exists():
        return None
    try:
        done = subprocess.run(
            ["systemctl", "show", "--property", _PROPERTIES, "--", name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return Unit(name, {key: value for key, separator, value in pairs if separator})


def check(unit: Unit | None, settings: Settings | None) -> list[Finding]:
    """The findings about ``unit``; without ``settings`` none about its time-outs."""
    if unit is None:
        return [passed(_CHECK, "no systemd runs here")]
    if not unit.is_loaded:
        state = unit.properties.get("LoadState", "unknown")
        return [warning(_CHECK, f"{unit.name} is {state}", "sudo scripts/install")]
    time_outs = [] if settings is None else _times(unit, settings)
    return [*_state(unit), *_shape(unit), *time_outs]


def times(unit: Unit) -> UnitTimes:
    """The unit's time-outs. Raises ValueError when systemd writes them in another way."""
    found = {name: seconds(value) for name, value in unit.properties.items() if "USec" in name}
    stop = found.get("TimeoutStopUSec", math.inf)
    watchdog = found.get("WatchdogUSec") or math.inf
    # Until the unit has been started, systemd shows ``infinity``, also where its file has a value.
    known = unit.is_active or math.isfinite(watchdog)
    return UnitTimes(
        start=found.get("TimeoutStartUSec", math.inf),
        stop=stop,
        abort=found.get("TimeoutAbortUSec", stop),
        watchdog=watchdog if known else None,
    )


def _state(unit: Unit) -> Iterator[Finding]:
    properties = unit.properties
    active, log = properties.get("ActiveState", ""), f"journalctl -u {unit.name} says why"
    what = f"{unit.name} is {active} ({properties.get('SubState', '')})"
    if active == "failed":
        yield fault(_CHECK, f"{what}: {properties.get('Result', '')}", log)
    elif not unit.is_active:
        yield warning(_CHECK, what, f"systemctl start {unit.name}")
    else:
        yield passed(_CHECK, what)
    restarts = unit.number("NRestarts")
    if restarts:
        yield warning(_CHECK, f"{unit.name} was restarted {restarts} times by systemd", log)
    if properties.get("NeedDaemonReload") == "yes":
        what = f"{unit.name} was changed, and systemd has not read it again"
        yield warning(_CHECK, what, "systemctl daemon-reload")
    if properties.get("UnitFileState") == "disabled":
        what = f"{unit.name} does not start with the machine"
        yield warning(_CHECK, what, f"systemctl enable {unit.name}")


def _shape(unit: Unit) -> Iterator[Finding]:
    for name, (expected, otherwise) in _EXPECTED.items():
        found = unit.properties.get(name, expected)
        # ``notify-reload`` is a notify that can do more.
        if not found.startswith(expected):
            yield fault(
                _CHECK,
                f"{name}={found}: {otherwise}",
                f"set {name}={expected}",
                Cause.CONFIGURATION,
            )


def _times(unit: Unit, settings: Settings) -> Iterator[Finding]:
    do = f"systemctl edit {unit.name}, or change the setting"
    try:
        found = times(unit)
    except ValueError as error:
        what = f"a time-out of {unit.name} cannot be read: {error}"
        yield warning(_CHECK, what, "compare systemctl show with the settings by hand")
        return
    faults, warnings = unit_faults(found, settings), unit_warnings(found, settings)
    for line in faults:
        yield fault(_CHECK, line, do, Cause.CONFIGURATION)
    for line in warnings:
        yield warning(_CHECK, line, do)
    if not faults and not warnings:
        yield passed(_CHECK, "the unit's time-outs fit the settings")
