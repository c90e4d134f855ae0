"""The settings: their sources, ranges and defaults, and the checks that refuse them."""

from execsvc.settings.addresses import Bind
from execsvc.settings.checks import merged, warnings
from execsvc.settings.directories import private_directory, runtime_directory, state_directory
from execsvc.settings.model import (
    SOCKET_NAME,
    Settings,
    Switch,
    alert_urls,
    secrets_of,
    variable_of,
)
from execsvc.settings.sources import ENV_FILE, load

__all__ = [
    "ENV_FILE",
    "SOCKET_NAME",
    "Bind",
    "Settings",
    "Switch",
    "alert_urls",
    "load",
    "merged",
    "private_directory",
    "runtime_directory",
    "secrets_of",
    "state_directory",
    "variable_of",
    "warnings",
]
