"""Of what a machine is booted here: control groups, an overlay, this test's own interpreter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import execsvc

SOURCES = Path(execsvc.__file__).parent.parent
PYTHON = "/opt/execsvc/python"
LIBRARIES = "/opt/execsvc/libraries"
_PACKAGES = {
    "systemd-nspawn": "systemd-container",
    "/lib/systemd/systemd": "systemd",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}
"""Programs that it takes, and what of Debian has them."""
_HIERARCHIES = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/systemd")


def why_not() -> str | None:
    """Why no machine can be booted here, if so."""
    if os.geteuid() != 0:
        return "booting a machine takes root"
    for program, package in _PACKAGES.items():
        if shutil.which(program) is None:
            return f"{program} is missing: apt-get install {package}"
    groups = control_groups()
    if not groups or not all(os.access(group, os.W_OK) for group in groups):
        return "no cgroup2 hierarchy at /sys/fs/cgroup takes a group of ours"
    return _why_no_overlay()


def control_groups() -> list[Path]:
    """Where control groups are made: cgroup2, and systemd's own of the old kind beside it."""
    kinds = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if place in _HIERARCHIES and (kind == "cgroup2" or "name=systemd" in options.split(",")):
            kinds[Path(place)] = kind
    return list(kinds) if "cgroup2" in kinds.values() else []


def mounted() -> list[str]:
    """What is mounted into the machine, read-only: interpreter, libraries, sources."""
    places = {path: f"{LIBRARIES}/{n}" for n, path in enumerate(_libraries())}
    if sys.base_prefix != "/usr":
        places[sys.base_prefix] = PYTHON
    return [f"--bind-ro={path}:{inside}" for path, inside in places.items()]


def wrapper(arguments: str) -> str:
    """A script that runs this test's interpreter with ``arguments`` before its own."""
    paths = ":".join(f"{LIBRARIES}/{n}" for n in range(len(_libraries())))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = f"/usr/bin/{version}" if sys.base_prefix == "/usr" else f"{PYTHON}/bin/{version}"
    return (
        "#!/bin/sh\n"
        f"export LD_LIBRARY_PATH={PYTHON}/lib PYTHONPATH={paths}:$PYTHONPATH\n"
        f'exec {python} {arguments} "$@"\n'
    )


def _libraries() -> list[str]:
    """Where this test imports from, the standard library aside."""
    found = [path for path in sys.path if path.endswith("-packages") and Path(path).is_dir()]
    return [str(SOURCES), *dict.fromkeys(found)]


def _why_no_overlay() -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        layers = (
            f"mount -t tmpfs none {folder} && cd {folder} && mkdir upper work root &&"
            " mount -t overlay none -o lowerdir=/,upperdir=upper,workdir=work root"
        )
        tried = subprocess.run(
            ["unshare", "--mount", "sh", "-c", layers], capture_output=True, text=True
        )
    return f"no overlay can be mounted: {tried.stderr.strip()}" if tried.returncode else None
