"""The sources of settings: command line > environment > env file > credentials > default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from execsvc import env_file as env_files
from execsvc.errors import ConfigRefused
from execsvc.settings.model import PREFIX, SECRET, URLS, Settings, variable_of

ENV_FILE = "EXECSVC_ENV_FILE"
"""The variable that names an env file, where no option does."""
_NO_SETTINGS = frozenset({ENV_FILE, "EXECSVC_UNIT"})
"""Variables of the environment that stand for options of the command line."""
_NEVER_SHOWN = SECRET | frozenset(URLS)
"""Fields whose value is not repeated in a fault: a URL may hold a password by mistake."""


def load(
    overrides: Mapping[str, str],
    env_file: Path | None,
    environ: Mapping[str, str],
    services_required: bool = True,
) -> Settings:
    """The settings that ``overrides`` (the command line), the environment and the file make.

    All three name variables in full (``EXECSVC_POLL_INTERVAL``). Without ``services_required`` the
    two URLs may be missing and are then empty, for commands that call neither service. Raises
    ConfigRefused with every fault, one line each.
    """
    faults: list[str] = []
    values = _defaults(environ, faults)
    for origin, variables in (
        ("the env file", _file_variables(env_file, faults)),
        ("the environment", environ),
        ("the command line", overrides),
    ):
        for variable in variables:
            if variables is environ and variable in _NO_SETTINGS:
                continue
            if variable.startswith(PREFIX) or variables is overrides:
                _take(variable, variables[variable], origin, values, faults)
    settings = _validated(values, faults, services_required)
    if settings is None or faults:
        raise ConfigRefused(*faults)
    return settings


def _validated(
    values: Mapping[str, Any], faults: list[str], services_required: bool
) -> Settings | None:
    """The settings, or None with the reasons added to ``faults``."""
    absent = [] if services_required else [name for name in URLS if name not in values]
    try:
        settings = Settings.model_validate({**dict.fromkeys(absent, "http://localhost"), **values})
    except ValidationError as error:
        faults += _faults(error, values)
        return None
    return settings.model_copy(update=dict.fromkeys(absent, ""))


def _file_variables(path: Path | None, faults: list[str]) -> dict[str, str]:
    try:
        return env_files.read(path) if path is not None else {}
    except ConfigRefused as refused:
        faults.extend(refused.faults)
        return {}


def _take(
    variable: str, value: str, origin: str, values: dict[str, Any], faults: list[str]
) -> None:
    field = variable.removeprefix(PREFIX).lower()
    if field not in Settings.model_fields or variable != variable_of(field):
        shown = variable if variable.isprintable() else ascii(variable)
        faults.append(f"{shown:.80}: unknown variable in {origin}")
    else:
        values[field] = value


def _defaults(environ: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    """The values without a variable: directories, and tokens of systemd's credentials."""
    values: dict[str, Any] = {
        "state_dir": environ.get("STATE_DIRECTORY", "").split(":")[0]
        or _home(environ) + "/.local/state/execsvc",
        "runtime_dir": environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
        or _session_directory(environ),
    }
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    for field in sorted(SECRET) if credentials else []:
        path = Path(str(credentials)) / variable_of(field).lower()
        try:
            values[field] = path.read_bytes().decode("utf-8").rstrip("\r\n")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not UTF-8"
            faults.append(f"{variable_of(field)}: credential {path}: {reason}")
    return values


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or "~"


def _session_directory(environ: Mapping[str, str]) -> str:
    session = environ.get("XDG_RUNTIME_DIR")
    return f"{session}/execsvc" if session else f"/tmp/execsvc-{os.getuid()}"


def _faults(error: ValidationError, values: Mapping[str, Any]) -> list[str]:
    """One line a fault: the variable, the fault, and the value unless it is private."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        field = str(fault["loc"][0])
        if fault["type"] == "missing":
            lines.append(f"{variable_of(field)}: is required")
            continue
        reason = fault["msg"].removeprefix("Value error, ")
        given = "" if field in _NEVER_SHOWN else f" (given: {str(values[field])!a:.100})"
        lines.append(f"{variable_of(field)}: {reason}{given}")
    return lines
