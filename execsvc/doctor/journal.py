"""The journal: checks that the journal takes our fields, survives a reboot, and takes a burst."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from execsvc.doctor.finding import Finding, passed, warning
from execsvc.doctor.timespan import seconds
from execsvc.doctor.unit import Unit

EXTRA = "journald"
LEAST_RATE = 100.0
"""Records a second that a burst of many bots may make."""
_CHECK = "journal"
_SOCKET = Path("/run/systemd/journal/socket")
_PERSISTENT = Path("/var/log/journal")
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*;.*extra *== *['\"](\w+)['\"]")


def check(unit: Unit | None) -> list[Finding]:
    """The findings about the journal of this machine, and of ``unit`` within it."""
    if not _SOCKET.exists():
        return [passed(_CHECK, "no journald here: the log is what stderr is connected to")]
    findings = [_library(metadata.requires("execsvc") or []), _persistence()]
    if unit is not None and unit.is_loaded:
        findings += _rate(unit)
    return findings


def missing(requirements: list[str], extra: str) -> list[str]:
    """The libraries of ``extra`` that are not installed, by the package's own ``requirements``."""
    return [
        found[1]
        for found in map(_REQUIREMENT.match, requirements)
        if found is not None and found[2] == extra and not _is_installed(found[1])
    ]


def _is_installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def _library(requirements: list[str]) -> Finding:
    absent = missing(requirements, EXTRA)
    if not absent:
        return passed(_CHECK, "records carry their fields: journalctl BOT_ID=…")
    return warning(
        _CHECK,
        f"{', '.join(absent)} is not installed: records have a priority and no fields",
        f"pip install 'execsvc[{EXTRA}]', as scripts/install does",
    )


def _persistence() -> Finding:
    if _PERSISTENT.is_dir():
        return passed(_CHECK, f"the journal is kept in {_PERSISTENT}")
    return warning(
        _CHECK,
        "the journal is lost when the machine restarts",
        f"mkdir {_PERSISTENT} && systemctl restart systemd-journald",
    )


def _rate(unit: Unit) -> Iterator[Finding]:
    burst = unit.number("LogRateLimitBurst")
    try:
        interval = seconds(unit.properties.get("LogRateLimitIntervalUSec", ""))
    except ValueError:
        return
    if not burst:
        return  # the limit of journald.conf: 10000 in 30 s unless it was changed
    rate = burst / interval if interval else float("inf")
    what = f"the journal takes {burst} records in {interval:g} s of {unit.name}"
    if rate >= LEAST_RATE:
        yield passed(_CHECK, what)
    else:
        yield warning(
            _CHECK, what, f"raise LogRateLimitBurst of {unit.name}: records of a burst are lost"
        )
