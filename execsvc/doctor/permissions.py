"""The owners of the directories and files of the service, and the rights of others on them."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from execsvc import env_file
from execsvc.doctor.finding import Cause, Finding, fault, passed, warning
from execsvc.errors import ConfigRefused
from execsvc.settings import Settings
from execsvc.settings.model import SECRET, variable_of
from execsvc.store.opening import open_store
from execsvc.store.place import RecordsPlace

MOST_NAMED = 3
"""The most files of another owner that are named."""
_CHECK = "permissions"
_OTHERS = 0o007
_GROUP_OR_OTHERS = 0o077
_OTHERS_MAY_WRITE = 0o022


def check(settings: Settings, service_user: int | None, environment: Path | None) -> list[Finding]:
    """The findings; ``service_user`` is the uid that the unit runs as, ours where it is None."""
    owner = os.geteuid() if service_user is None else service_user
    findings = [
        *_directory("EXECSVC_STATE_DIR", settings.state_dir, owner, _OTHERS_MAY_WRITE),
        *_directory("EXECSVC_RUNTIME_DIR", settings.runtime_dir, owner, _GROUP_OR_OTHERS),
        *_foreign_records(open_store(settings).place(), owner),
    ]
    if environment is not None:
        findings.append(env_file_finding(environment))
    return findings


def env_file_finding(path: Path) -> Finding:
    """The finding about the mode of a file that may hold tokens."""
    try:
        mode = path.stat().st_mode & 0o777
        secret = {variable_of(field) for field in SECRET} & env_file.read(path).keys()
    except OSError as error:
        return warning(_CHECK, f"{path}: {error.strerror}", "run this again as root")
    except ConfigRefused as refused:
        return warning(_CHECK, str(refused), "run this again as root")
    if not secret or not mode & _OTHERS:
        return passed(_CHECK, f"{path} has mode {mode:04o}")
    return fault(
        _CHECK,
        f"{path} holds {', '.join(sorted(secret))} and every user may read them ({mode:04o})",
        f"chmod 0640 {path}, and replace the tokens",
    )


def _directory(variable: str, path: Path, owner: int, refused: int) -> Iterator[Finding]:
    try:
        found = path.stat()
    except FileNotFoundError:
        yield passed(_CHECK, f"{path} does not exist yet: the service makes it")
        return
    except OSError as error:
        yield warning(_CHECK, f"{variable}: {path}: {error.strerror}", "run this again as root")
        return
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != owner:
        what = f"{variable}: {path} belongs to {_name(found.st_uid)}, not to {_name(owner)}"
        do = f"run this as root or as {_name(found.st_uid)}, or chown {path}"
        yield fault(_CHECK, what, do, Cause.CONFIGURATION)
    elif mode & refused:
        what = f"{variable}: {path} has mode {mode:04o}"
        yield fault(_CHECK, what, f"chmod 0700 {path}", Cause.CONFIGURATION)
    else:
        yield passed(_CHECK, f"{path} belongs to {_name(owner)}, mode {mode:04o}")


def _foreign_records(place: RecordsPlace, owner: int) -> Iterator[Finding]:
    """Records that the service cannot open: a command that was run as root left them."""
    found = place.not_owned_by(owner)
    if found:
        shown = ", ".join(found[:MOST_NAMED])
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        yield fault(
            _CHECK,
            f"in {place.name}, not owned by {_name(owner)}: {shown}{more}",
            f"chown -R {_name(owner)}: {place.name}",
        )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
