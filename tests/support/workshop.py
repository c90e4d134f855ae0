"""A machine that execsvc is installed on from nothing, by its own scripts."""

from __future__ import annotations

import configparser
import fcntl
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.deadline import eventually
from support.environment import for_pip
from support.installed import SANDBOX_URL, InsideExchange, Service
from support.machine import Machine
from support.machine_parts import SOURCES

INDEX = "/srv/wheels"
TESTBED = "/opt/testbed"
"""This test's own interpreter and program, in the machine, for the sandbox."""
BUILDS = 600.0
"""Seconds that pip may take for a release, on a machine that is busy with other tests."""
_PYTHON = "/usr/bin/python3"
_SHIPPED = (
    "execsvc",
    "systemd",
    "scripts",
    "setup.cfg",
    "setup.py",
    "README.rst",
    "CHANGELOG.rst",
)
RELEASES = "/opt/execsvc/releases"
_INSTALLED_EXTRAS = ("journald", "alerts", "metrics")


def wheels(folder: Path) -> str | None:
    """Fill ``folder`` with all that an install takes; why that is not possible, if so.

    By the pip of this machine, as it is configured: the booted one has no network.
    """
    maker = folder.with_name("maker")
    wanted = [*_requirements(), "setuptools", "wheel"]
    for command in (
        [_PYTHON, "-m", "venv", str(maker)],
        [f"{maker}/bin/pip", "wheel", "--quiet", "--wheel-dir", str(folder), *wanted],
    ):
        done = subprocess.run(command, env=for_pip(), capture_output=True, text=True, timeout=900)
        if done.returncode != 0:
            return f"{command[0]} failed: {done.stderr[-500:] or done.stdout[-500:]}"
    return None


def _requirements() -> list[str]:
    """The needs of a service on a VM, by setup.cfg."""
    config = configparser.ConfigParser()
    config.read(SOURCES / "setup.cfg", encoding="utf-8")
    extras = config["options.extras_require"]
    texts = [config["options"]["install_requires"]]
    texts += [extras[name] for name in _INSTALLED_EXTRAS if name in extras]
    return [line for text in texts for line in text.splitlines() if line]


@dataclass(frozen=True)
class Ran:
    """The outcome of a script."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line that it said."""
        return self.err.splitlines()[-1]


class Workshop:
    """A booted machine with an index of packages, and a sandbox that both services are."""

    def __init__(self, machine: Machine, index: Path) -> None:
        self.machine = machine
        self.service = Service(machine)
        # The machine's own release is in the place where an install puts its own.
        machine.run("mv", "/opt/execsvc/current", TESTBED)
        shutil.copytree(index, machine.path(INDEX), dirs_exist_ok=True)
        program = f"{TESTBED}/bin/execsvc"
        machine.run("systemd-run", "--unit=sandbox", program, "sandbox", "--port=8099")
        self.exchange = InsideExchange(machine)
        eventually(lambda: self.exchange.answers, "the sandbox answers", 60)
        self.exchange.fund()
        self.exchange.market(price="50000")

    def sources(self, version: str) -> Path:
        """A tarball's worth of sources of a ``version`` of their own, as this machine sees it."""
        place = self.machine.path(f"/srv/{version}")
        place.mkdir()
        for name in _SHIPPED:
            there = SOURCES / name
            if there.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(there, place / name, ignore=ignored)
            else:
                shutil.copy(there, place / name)
        replace(place / "execsvc/__init__.py", '__version__ = "', f'__version__ = "{version}.')
        replace(place / "systemd/execsvc.service", "Description=", f"Description={version} ")
        return place

    def script(self, version: str, name: str, *options: str) -> Ran:
        """Run a script of ``version`` in the machine, as root."""
        environ = ("env", "PIP_NO_INDEX=1", f"PIP_FIND_LINKS={INDEX}")
        script = f"/srv/{version}/scripts/{name}"
        done = self.machine.attempt(*environ, script, *options, patience=BUILDS)
        return Ran(done.returncode, done.stdout, done.stderr)

    def first_install(self, kept: Path, anew: bool = False) -> Ran:
        """Run scripts/install of v1, whose release pip builds in the first machine that wants it.

        Others find it built already, as after an install that was interrupted: it is kept in
        ``kept``. With ``anew`` it is built in any case.
        """
        self.sources("v1")
        releases = self.machine.path(RELEASES)
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if kept.exists() and not anew:
                shutil.copytree(kept, releases, symlinks=True)
            done = self.script("v1", "install")
            if done.code == 0 and not kept.exists():
                half = kept.with_suffix(".half")
                shutil.copytree(releases, half, symlinks=True)
                half.rename(kept)
        return done

    def command(self, *arguments: str) -> Ran:
        """Run the installed program as an operator does."""
        done = self.machine.attempt("/usr/local/bin/execsvc", *arguments)
        return Ran(done.returncode, done.stdout, done.stderr)

    def fill_in(self) -> None:
        """Set the two addresses in the env file that was installed."""
        file = self.machine.path("/etc/execsvc/execsvc.env")
        for name in ("BOT_SERVICE", "EXCHANGE_ADAPTER"):
            line = f"EXECSVC_{name}_URL="
            replace(file, f"#{line}", f"{line}{SANDBOX_URL}\n#")

    def there(self, *places: str) -> list[str]:
        """Those of ``places`` that are there, each with all that is in it, owners and times."""
        listing = self.machine.run(
            *("find", *places, "-printf", r"%M %u:%g %T+ %p %l\n"), check=False
        )
        return sorted(line for line in listing.splitlines() if "__pycache__" not in line)


def replace(file: Path, text: str, by: str) -> None:
    """Change a file; it has to hold ``text``. Its mode and owner stay."""
    content = file.read_text("utf-8")
    assert text in content, f"{text!r} is not in {file}"
    with file.open("r+", encoding="utf-8") as opened:
        opened.truncate()
        opened.write(content.replace(text, by, 1))
