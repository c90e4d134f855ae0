"""Parts of this machine that are seen in a booted one: the interpreter of this test, and its libraries."""

from __future__ import annotations

import shutil
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import cache_from_source
from pathlib import Path

import execsvc

SOURCES = Path(execsvc.__file__).parent.parent
PYTHON = "/opt/execsvc/python"
LIBRARIES = "/opt/execsvc/libraries"


def mounted(folder: Path) -> list[str]:
    """The folders that are mounted into the machine, read-only: interpreter, libraries, sources.

    The sources are copied to ``folder`` and compiled there. Mounted as they lie here, where the
    bytecode may be kept elsewhere, each process of the machine would compile them for itself.
    """
    _compiled(folder / SOURCES.name)
    libraries = [folder / SOURCES.name, *site_packages()]
    places = {str(path): f"{LIBRARIES}/{n}" for n, path in enumerate(libraries)}
    if sys.base_prefix != "/usr":
        places[sys.base_prefix] = PYTHON
    return [f"--bind-ro={path}:{inside}" for path, inside in places.items()]


def wrapper(arguments: str) -> str:
    """A script that runs this test's interpreter with ``arguments`` before its own."""
    paths = ":".join(f"{LIBRARIES}/{n}" for n in range(1 + len(site_packages())))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = f"/usr/bin/{version}" if sys.base_prefix == "/usr" else f"{PYTHON}/bin/{version}"
    return (
        "#!/bin/sh\n"
        f"export LD_LIBRARY_PATH={PYTHON}/lib PYTHONPATH={paths}:$PYTHONPATH\n"
        f'exec {python} {arguments} "$@"\n'
    )


def site_packages() -> list[Path]:
    """The folders that this test imports from, the standard library and the sources aside."""
    found = [path for path in sys.path if path.endswith("-packages") and Path(path).is_dir()]
    return [Path(path) for path in dict.fromkeys(found)]


def _compiled(folder: Path) -> None:
    """Copy the package there with the bytecode of each module beside it."""
    package = Path(execsvc.__file__).parent
    copied = folder / package.name
    shutil.copytree(package, copied, ignore=shutil.ignore_patterns("__pycache__"))
    for source in package.rglob("*.py"):
        # Compiles what is not compiled yet; the copy is of the same size and age as its source.
        SourceFileLoader(source.stem, str(source)).get_code(source.stem)
        bytecode = Path(cache_from_source(str(source)))
        if bytecode.exists():
            beside = (copied / source.relative_to(package)).parent / "__pycache__"
            beside.mkdir(exist_ok=True)
            beside.chmod(0o755)
            shutil.copy2(bytecode, beside / bytecode.name)
    folder.chmod(0o755)
