"""The two directories of the service, which no other user may own."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

from execsvc.errors import ConfigRefused

_OTHERS_MAY_WRITE = 0o022
_ROOT = 0
_SESSIONS = Path("/run/user")
_LINGERING = Path("/var/lib/systemd/linger")
"""A directory with a file for each user whose directory outlives the sessions, see loginctl(1)."""


def runtime_directory(path: Path) -> None:
    """Make the directory of the control socket, mode 0700.

    Raises ConfigRefused when it exists and is not ours with mode 0700.
    """
    variable = "EXECSVC_RUNTIME_DIR"
    mode = _own_directory_mode(path, variable)
    if mode & 0o777 != 0o700:
        raise ConfigRefused(f"{variable}: {path} has mode {mode & 0o777:04o}, not 0700")


def state_directory(path: Path) -> None:
    """Make the directory of ledgers, journals and locks, mode 0700.

    Raises ConfigRefused when it exists and is not ours, or others may write to it.
    """
    variable = "EXECSVC_STATE_DIR"
    mode = _own_directory_mode(path, variable)
    if mode & _OTHERS_MAY_WRITE:
        raise ConfigRefused(f"{variable}: {path} has mode {mode & 0o777:04o}, others may write")


def ends_with_session(path: Path) -> bool:
    """True for a directory that logind empties when the user's last login session ends.

    That is ``$XDG_RUNTIME_DIR``, unless the user lingers.
    """
    session = os.environ.get("XDG_RUNTIME_DIR")
    sessions = [_SESSIONS, Path(session)] if session else [_SESSIONS]
    if not any(path.is_relative_to(place) for place in sessions):
        return False
    try:
        return not (_LINGERING / pwd.getpwuid(os.geteuid()).pw_name).exists()
    except (KeyError, OSError):
        return True


def private_directory(path: Path) -> None:
    """Make a directory within one of ours, mode 0700. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _own_directory_mode(path: Path, variable: str) -> int:
    """Mode of the directory, made when it is missing. Raises ConfigRefused unless we own it."""
    try:
        private_directory(path)
        found, link = path.stat(), path.lstat()
    except OSError as error:
        raise ConfigRefused(f"{variable}: {path}: {error.strerror}") from None
    if found.st_uid != os.geteuid():
        raise ConfigRefused(f"{variable}: {path} belongs to uid {found.st_uid}, not to this user")
    # systemd links the directories of a dynamic user; any other user's link in /tmp is an attack.
    if stat.S_ISLNK(link.st_mode) and link.st_uid not in (_ROOT, os.geteuid()):
        raise ConfigRefused(f"{variable}: {path} is a link that uid {link.st_uid} made")
    return found.st_mode
