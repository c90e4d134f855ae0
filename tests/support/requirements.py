"""The needs of some tests beyond Python and the package's test extra, and how to provide for each.

A test is skipped through this module only, so that every reason for a skip comes with its remedy.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest
from support.environment import scrubbed
from support.store_files import this_machine

from execsvc.supervisor.processes.shared_heap import knows_immortals

TO_RUN = "; to run them: "
"""Separates what is missing from its remedy in the reason of a skip."""
ROOT = Path(__file__).resolve().parents[2]
MARKET = Path(os.environ.get("RECORDED_MARKETS") or ROOT.parent / "shared" / "market")
"""The folder of the recordings of real markets; they are no part of this project."""
_HIERARCHIES = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/systemd")
_POSTGRESQL = Path("/usr/lib/postgresql")
_OLDEST_POSTGRESQL = 15


class Lack(NamedTuple):
    """A requirement that this machine does not meet."""

    words: str
    remedy: str

    @property
    def reason(self) -> str:
        """The reason of a skip."""
        return f"{self.words}{TO_RUN}{self.remedy}"


def lacking(name: str) -> Lack | None:
    """The missing part of a requirement; None when the machine meets the requirement."""
    return _looked_up(name)


def needs(*names: str) -> pytest.MarkDecorator:
    """A mark that skips a test where one of the named requirements is not met."""
    lacks = [found for found in map(lacking, names) if found is not None]
    reason = lacks[0].reason if lacks else ""
    return pytest.mark.skipif(bool(lacks), reason=reason)


def require(*names: str) -> None:
    """Skip the running test where one of the named requirements is not met."""
    for name in names:
        found = lacking(name)
        if found is not None:
            skip(found.words, found.remedy)


def skip(words: str, remedy: str) -> NoReturn:
    """Skip the running test for what was found out only by trying."""
    pytest.skip(Lack(words, remedy).reason)


def control_groups() -> list[Path]:
    """The place where control groups are made: cgroup2, and systemd's own of the old kind beside it."""
    kinds = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if place in _HIERARCHIES and (kind == "cgroup2" or "name=systemd" in options.split(",")):
            kinds[Path(place)] = kind
    return list(kinds) if "cgroup2" in kinds.values() else []


def _programs(**packages: str) -> Lack | None:
    """Lack of programs, each given with the Debian package that has it."""
    missing = {name: package for name, package in packages.items() if shutil.which(name) is None}
    if not missing:
        return None
    verb = "is" if len(missing) == 1 else "are"
    return Lack(
        f"{' and '.join(missing)} {verb} not installed",
        f"apt-get install {' '.join(dict.fromkeys(missing.values()))}",
    )


def _root() -> Lack | None:
    return (
        None
        if os.geteuid() == 0
        else Lack("the tests do not run as root", "run scripts/test as root")
    )


def _mount() -> Lack | None:
    lack = _root()
    if lack is not None:
        return lack
    return _tried("mount -t tmpfs none {folder}", "this machine lets nobody mount a file system")


def _namespaces() -> Lack | None:
    lack = _root() or _programs(ip="iproute2", unshare="util-linux")
    if lack is not None:
        return lack
    command = [
        "unshare",
        "--net",
        "ip",
        "link",
        "add",
        "one",
        "type",
        "veth",
        "peer",
        "name",
        "two",
    ]
    tried = subprocess.run(command, env=scrubbed(), capture_output=True)
    if tried.returncode == 0:
        return None
    return Lack(
        "this machine makes no network namespaces with a line between them",
        "a kernel with veth, and CAP_SYS_ADMIN and CAP_NET_ADMIN for root",
    )


def _machine() -> Lack | None:
    lack = _root() or _programs(
        **{
            "systemd-nspawn": "systemd-container",
            "/lib/systemd/systemd": "systemd",
            "nsenter": "util-linux",
            "setpriv": "util-linux",
        }
    )
    if lack is not None:
        return lack
    groups = control_groups()
    if not groups or not all(os.access(group, os.W_OK) for group in groups):
        return Lack(
            "no machine can be booted here: no cgroup2 hierarchy takes a group of ours",
            "a host, or a privileged container, with /sys/fs/cgroup writable",
        )
    layers = (
        "mount -t tmpfs none {folder} && cd {folder} && mkdir upper work root &&"
        " mount -t overlay none -o lowerdir=/,upperdir=upper,workdir=work root"
    )
    return _tried(layers, "no machine can be booted here: no overlay can be mounted")


def _tried(command: str, words: str) -> Lack | None:
    """Lack of what a shell command, in a mount namespace of its own, is refused."""
    with tempfile.TemporaryDirectory() as folder:
        script = command.format(folder=folder)
        tried = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script],
            env=scrubbed(),
            capture_output=True,
            text=True,
        )
    if tried.returncode == 0:
        return None
    said = tried.stderr.strip().splitlines()
    return Lack(
        f"{words} ({said[-1]})" if said else words,
        "a host, or a container that has the capability to mount (docker run --privileged)",
    )


def _recordings() -> Lack | None:
    if any(MARKET.glob("*.jsonl.gz")):
        return None
    return Lack(
        f"no recordings of real markets in {MARKET}",
        "the folder shared/ beside the checkout, or RECORDED_MARKETS=a folder with them",
    )


def _immortals() -> Lack | None:
    if knows_immortals():
        return None
    return Lack(
        "this Python has no immortal objects that are known",
        "CPython 3.12 or 3.13 (PYTHON=/path/to/python3.13 scripts/test)",
    )


def _machine_id() -> Lack | None:
    if this_machine() is not None:
        return None
    return Lack("this machine has no /etc/machine-id", "systemd-machine-id-setup, which makes one")


def _checkout() -> Lack | None:
    lack = _programs(git="git")
    if lack is not None:
        return lack
    asked = subprocess.run(["git", "ls-files"], cwd=ROOT, env=scrubbed(), capture_output=True)
    if asked.returncode == 0:
        return None
    return Lack("these sources are no git checkout of yours", "run in a clone that you own")


def _installed() -> Lack | None:
    try:
        metadata.distribution("execsvc")
    except metadata.PackageNotFoundError:
        return Lack("the package is not installed", "scripts/test, which installs the package")
    return None


def _readable_by_all() -> Lack | None:
    """The test drops root's rights, and the sources may lie where only root can read."""
    if os.geteuid() != 0:
        return None
    lack = _programs(setpriv="util-linux")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if (
        lack is not None
        or subprocess.run([*nobody, "test", "-r", __file__], env=scrubbed()).returncode == 0
    ):
        return lack
    return Lack(f"{ROOT} can be read by root only", "a clone that every user may read")


def as_another_user(number: int) -> tuple[str, ...]:
    """The words that run a command as the user ``number``, who may read and write all files of this machine.

    Limits bind that user, which they do not root.
    """
    rights = "+dac_override,+dac_read_search"
    return (
        *("setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups"),
        *(f"--inh-caps={rights}", f"--ambient-caps={rights}"),
    )


def _another_user() -> Lack | None:
    lack = _root() or _programs(setpriv="util-linux")
    if lack is not None:
        return lack
    tried = subprocess.run(
        [*as_another_user(100_000), "test", "-r", __file__], env=scrubbed(), capture_output=True
    )
    if tried.returncode == 0:
        return None
    return Lack("no command can be run as another user here", "a host, or a privileged container")


def postgresql_programs() -> Path:
    """The folder with the programs of the newest PostgreSQL; without one, of the oldest that will do."""
    found = [int(path.name) for path in _POSTGRESQL.glob("[1-9]*") if path.name.isdecimal()]
    return _POSTGRESQL / str(max([_OLDEST_POSTGRESQL, *found])) / "bin"


def _postgresql() -> Lack | None:
    if shutil.which(str(postgresql_programs() / "postgres")) is None:
        return Lack(
            f"PostgreSQL {_OLDEST_POSTGRESQL} or newer is not installed",
            "apt-get install postgresql",
        )
    return _programs(setpriv="util-linux")


REQUIREMENTS: dict[str, Callable[[], Lack | None]] = {
    "root": _root,
    "mount": _mount,
    "network namespaces": _namespaces,
    "machine": _machine,
    "browser": lambda: _programs(chromium="chromium", chromedriver="chromium-driver"),
    "promtool": lambda: _programs(promtool="prometheus"),
    "shellcheck": lambda: _programs(shellcheck="shellcheck"),
    "openssl": lambda: _programs(openssl="openssl"),
    "C compiler": lambda: _programs(gcc="gcc libc6-dev"),
    "PostgreSQL": _postgresql,
    "bash": lambda: _programs(bash="bash"),
    "recordings": _recordings,
    "immortal objects": _immortals,
    "checkout": _checkout,
    "machine id": _machine_id,
    "installed package": _installed,
    "readable sources": _readable_by_all,
    "another user": _another_user,
}
"""Each requirement of a test, and the look at the machine that tells whether it is met."""


@functools.cache
def _looked_up(name: str) -> Lack | None:
    return REQUIREMENTS[name]()
