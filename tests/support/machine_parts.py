"""What of this machine is seen in a booted one: the interpreter of this test, and its libraries."""

from __future__ import annotations

import sys
from pathlib import Path

import execsvc

SOURCES = Path(execsvc.__file__).parent.parent
PYTHON = "/opt/execsvc/python"
LIBRARIES = "/opt/execsvc/libraries"


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
