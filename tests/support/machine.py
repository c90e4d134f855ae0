"""A throw-away machine with a systemd of its own, booted by what Debian ships for that.

Its ``/`` is this machine's, behind an overlay in memory; its network is its own and has ``lo``
only. Programs find this test's interpreter and libraries in it as ``/opt/execsvc/current``.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import processes
from support.deadline import eventually
from support.environment import scrubbed
from support.machine_parts import mounted, wrapper
from support.requirements import control_groups, require, skip

BOOT = Path(__file__).with_name("machine_boot")
PROGRAMS = "/opt/execsvc/current/bin"
PROGRAM = f"{PROGRAMS}/execsvc"
PATIENCE = 120.0
"""Seconds for a boot on a machine that is busy."""
_ENVIRONMENT = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8")


class CannotBoot(Exception):
    """This machine lacks a part that a booted one needs."""


class Machine:
    """Made switched off. ``name`` has to differ from that of any other at the same time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self._console = self._folder / "console"
        self._groups = [group / name for group in control_groups()]
        self._process: subprocess.Popen[bytes] | None = None
        self._first: processes.Process | None = None

    def boot(self) -> None:
        """Switch it on; returns when it has started everything. Raises CannotBoot."""
        root = self._folder / "root"
        root.mkdir()
        for group in self._groups:
            group.mkdir(exist_ok=True)
        groups = ":".join(map(str, self._groups))
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                # The machine is not to outlive a test run that is killed.
                [
                    *("setpriv", "--pdeathsig", "TERM", "unshare", "--mount"),
                    *(BOOT, root, self.name, groups, *mounted(self._folder)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=scrubbed(),
                start_new_session=True,
            )
        self._until_up()
        self._install_program()

    def run(self, *command: str, check: bool = True) -> str:
        """The output of a command that root runs in it. A failure is an error unless ``check`` is off."""
        done = self.attempt(*command)
        if check:
            assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def attempt(
        self, *command: str, patience: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        """The same, and what became of it."""
        return subprocess.run(
            [
                *("nsenter", "--target", str(self.leader), "--all", "--root", "--wd"),
                *("env", "-i", *_ENVIRONMENT, *command),
            ],
            stdin=subprocess.DEVNULL,
            env=scrubbed(),
            capture_output=True,
            text=True,
            timeout=patience,
        )

    def path(self, inside: str) -> Path:
        """A file of it, as this machine sees it."""
        return Path(f"/proc/{self.leader}/root{inside}")

    def write(self, inside: str, text: str, mode: int = 0o644) -> None:
        """Write a file in it, with the folders on the way."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    @contextmanager
    def network(self) -> Iterator[None]:
        """Sockets that this thread makes within the block are sockets of the machine."""
        with network_of(self.path_of_network()):
            yield

    def path_of_network(self) -> Path:
        """Its network namespace; another one after a reboot."""
        return Path(f"/proc/{self.leader}/ns/net")

    @property
    def leader(self) -> int:
        """The pid, out here, of its pid 1; a reboot brings another."""
        assert self._process is not None, "switched off"
        if self._first is not None and self._first.lives:
            return self._first.pid
        for child in processes.children(self._process.pid, recursive=True):
            if _is_first(child.pid):
                self._first = child
                return child.pid
        raise AssertionError(f"no pid 1: {self._console.read_text(errors='replace')[-2000:]}")

    def reboot(self, *options: str) -> None:
        """As ``systemctl reboot`` does it; what is on disk stays, what is in /run does not."""
        before = self.leader
        self.attempt("systemctl", "reboot", *options)
        eventually(lambda: not _is_first(before), "it went down", PATIENCE)
        self._until_up()

    def off(self) -> None:
        """Power it off; nothing of it is left."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                for process in processes.children(self._process.pid, recursive=True):
                    process.kill()
                self._process.wait(timeout=PATIENCE)
        eventually(self._ungrouped, "its control groups are empty", PATIENCE)
        shutil.rmtree(self._folder)

    def _ungrouped(self) -> bool:
        """Take its control groups away; False while the kernel is not done with the last process."""
        for group in self._groups:
            for folder, _, _ in os.walk(group, topdown=False):
                try:
                    Path(folder).rmdir()
                except OSError:
                    return False
        return True

    def _until_up(self) -> None:
        eventually(self._is_up, "the machine is up", PATIENCE)

    def _is_up(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise CannotBoot(self._console.read_text(errors="replace")[-500:])
        try:
            return self.run("systemctl", "is-system-running", check=False) in {
                "running",
                "degraded",
            }
        except AssertionError:
            return False  # pid 1 is not there yet

    def _install_program(self) -> None:
        """The interpreter of this test, where a service without access to homes can reach it."""
        self.write(f"{PROGRAMS}/python", wrapper(""), 0o755)
        self.write(PROGRAM, wrapper("-m execsvc"), 0o755)


def booted(name: str) -> Machine:
    """A machine that is up; the running test is skipped where none can be booted."""
    require("machine")
    made = Machine(name)
    try:
        made.boot()
    except CannotBoot as error:
        made.off()
        said = str(error).strip().splitlines()
        skip(
            f"no machine boots here: {said[-1] if said else 'its console is empty'}",
            "a host, or a privileged container, whose kernel lets systemd-nspawn boot",
        )
    return made


@contextmanager
def network_of(path: Path) -> Iterator[None]:
    """Sockets that this thread makes within the block are of the network namespace ``path``."""
    with Path("/proc/thread-self/ns/net").open() as own, path.open() as its:
        _enter(its.fileno())
        try:
            yield
        finally:
            _enter(own.fileno())


def _is_first(pid: int) -> bool:
    """True for a pid 1 of another pid namespace."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        comm = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return False
    numbers = next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])
    return len(numbers) > 1 and numbers[-1] == "1" and comm == "systemd"


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")
