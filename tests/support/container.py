"""Our image and its container without an engine: what the recipe says, done by mount, chroot and setpriv.

A root is a folder with this machine's ``/usr`` in it and, as in the image that ours is based on, a
Python at ``/usr/local``: the one of these tests. The libraries of the tests are seen in it as well, so that
an install finds what it requires and builds nothing but the package.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import processes, recipe
from support.deadline import PATIENCE, eventually
from support.environment import for_pip, scrubbed
from support.machine import network_of
from support.machine_parts import SOURCES, site_packages
from support.recipe import Stage

BUILDS = 600.0
"""Seconds that a step of the build may take on a machine that is busy."""
LIBRARIES = "/opt/libraries"
_SYSTEM = ("usr", "lib", "lib64", "bin", "sbin")
_INIT = "/etc/init"
_PYTHON = ("python3", "-I", _INIT)
_PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ADDRESS = "192.0.2.1"
"""The container's own address: what a published port arrives at (RFC 5737)."""


class Root:
    """The file system of a stage or a container, made unless ``folder`` is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._libraries = site_packages()
        if not folder.exists():
            self._make(folder)

    def _make(self, folder: Path) -> None:
        for place in ("etc", "dev", "proc", "opt", "tmp", "run/secrets", "var/lib", "usr"):
            (folder / place).mkdir(parents=True)
        (folder / "tmp").chmod(0o1777)
        (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        for name in _SYSTEM:
            there = Path("/") / name
            if there.is_symlink():
                (folder / name).symlink_to(there.readlink())
            elif there.exists():
                (folder / name).mkdir(exist_ok=True)
        for number in range(len(self._libraries)):
            (folder / f"{LIBRARIES}/{number}".lstrip("/")).mkdir(parents=True)
        (folder / _INIT.lstrip("/")).touch()

    def mounts(self) -> list[str]:
        """Shell commands that mount what every root has; in a mount namespace of their own."""
        made = [f"mount --bind {self.folder} {self.folder}"]
        made += [
            f"mount --rbind /{name} {self.folder}/{name}"
            for name in _SYSTEM
            if not (self.folder / name).is_symlink() and Path("/", name).exists()
        ]
        if sys.base_prefix != "/usr":
            made.append(f"mount --bind {sys.base_prefix} {self.folder}/usr/local")
        for number, path in enumerate(self._libraries):
            made.append(f"mount --bind {path} {self.folder}{LIBRARIES}/{number}")
        made.append(f"mount --rbind /dev {self.folder}/dev")
        return made

    def run(self, step: str, workdir: str, environ: dict[str, str]) -> None:
        """A RUN of the Dockerfile, as root. It has to succeed."""
        inner = f"cd {shlex.quote(workdir)} && {step}"
        script = [*self.mounts(), f"exec chroot {self.folder} /bin/sh -c {shlex.quote(inner)}"]
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-ec", "\n".join(script)],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILDS,
        )
        assert done.returncode == 0, f"{step}: {done.returncode}\n{done.stdout}{done.stderr}"


class Image:
    """The image that is built in ``folder``, once: the final stage, and its root."""

    def __init__(self, folder: Path) -> None:
        self._wheels = folder / "wheels"
        self._roots: dict[str, Root] = {}
        built = folder / "built"
        for number, stage in enumerate(recipe.dockerfile()):
            self.root = Root(folder / str(number))
            self.stage = stage
            self._roots[stage.name or str(number)] = self.root
            if not built.exists():
                self._build()
        built.touch()

    def _build(self) -> None:
        workdir = "/"
        for step in self.stage.steps:
            if step.word == "WORKDIR":
                workdir = step.text
                self._inside(workdir).mkdir(parents=True)
            elif step.word == "COPY":
                self._copy(shlex.split(step.text), step.options, workdir)
            elif step.word == "RUN":
                self._run(step.command, workdir)

    def _run(self, command: list[str], workdir: str) -> None:
        (shell, option, text) = command
        assert (shell, option) == ("/bin/sh", "-c")
        index = self.root.folder / "wheels"
        if not index.exists():
            shutil.copytree(self._wheels, index)
        environ = {"PATH": _PATH, "HOME": "/root", **libraries_of_python()}
        environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
        self.root.run(text, workdir, environ)
        for packages in self.root.folder.glob("opt/*/lib/python*/site-packages"):
            lines = "".join(f"{LIBRARIES}/{n}\n" for n in range(len(site_packages())))
            (packages / "libraries.pth").write_text(lines)

    def _copy(self, names: list[str], options: dict[str, str], workdir: str) -> None:
        *sources, target = names
        origin = self._roots[options["--from"]].folder if options else SOURCES
        place = self._inside(str(Path(workdir) / target))
        for name in sources:
            source = origin / name.lstrip("/")
            assert options or not recipe.ignored(Path(name)), name
            into = place if target == name or source.is_dir() else place / source.name
            if source.is_dir():
                # As the builder does, a folder's contents; and of ours, no bytecode.
                ignored = None if options else shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, into, symlinks=True, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy2(source, into)

    def _inside(self, path: str) -> Path:
        return self.root.folder / path.lstrip("/")


class Network:
    """A network of its own with an address beside loopback, for as long as the block lasts."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-ec"),
                f"ip link set lo up; ip addr add {_ADDRESS}/32 dev lo; echo up; exec cat",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=scrubbed(),
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"up\n"
        self.address = _ADDRESS
        self.path = Path(f"/proc/{self._holder.pid}/ns/net")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets that this thread makes within the block are of this network."""
        with network_of(self.path):
            yield

    def close(self) -> None:
        """The container ends with its last process."""
        self._holder.kill()
        self._holder.communicate()


class Container:
    """The service of the compose file, as ``docker compose up`` would run it. Not started yet.

    ``project`` is the folder of the compose file; volumes are kept in it, and outlive a container.
    """

    def __init__(self, image: Image, network: Network, project: Path) -> None:
        self._stage: Stage = image.stage
        self._root = image.root
        self._network = network
        self._project = project
        self._service = recipe.service()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = project / "log"
        for host, inside in self._bound():
            target = self._root.folder / inside.lstrip("/")
            if host.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.touch()

    @property
    def environ(self) -> dict[str, str]:
        """The environment of its processes: HOME is as an engine sets it for a user without a name."""
        given = {"HOME": "/", "HOSTNAME": "0123456789ab", **libraries_of_python()}
        return {**given, **self._stage.environment, **self._service["environment"]}

    def up(self) -> None:
        """Start it."""
        command = self._stage.only("ENTRYPOINT").command + self._stage.only("CMD").command
        if self._service["init"]:
            command = ["/usr/bin/env", *_PYTHON, *command]
        script = [*self._root.mounts(), *self._mounts(), f"exec {self._as_its_user(command)}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL", "nsenter", f"--net={self._network.path}"),
                    *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                    *("sh", "-ec", "\n".join(script)),
                ],
                env=scrubbed(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def exec(self, *command: str) -> subprocess.CompletedProcess[str]:
        """``docker compose exec execsvc COMMAND``."""
        inside = ["nsenter", f"--target={self.first.pid}", "--mount", "--pid", "--net"]
        return subprocess.run(
            [*inside, "sh", "-ec", f"exec {self._as_its_user(list(command))}"],
            env=scrubbed(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def check_health(self) -> int:
        """The exit code of the health check, as an engine calls it."""
        return self.exec(*self._stage.only("HEALTHCHECK").command).returncode

    def until_healthy(self) -> None:
        """Wait for the control socket; then the health check succeeds."""
        eventually(self._listens, "the container listens")
        assert self.check_health() == 0, self.log[-2000:]

    def stop(self, signal_name: str | None = None) -> int:
        """``docker stop [--signal NAME]``; the exit code. Fails when the grace period is over."""
        name = signal_name or self._stage.only("STOPSIGNAL").text
        assert self._process is not None
        assert self.first.send(signal.Signals[name])
        return self._process.wait(recipe.seconds(self._service["stop_grace_period"]))

    def kill(self) -> None:
        """``docker kill``: nothing of it is left."""
        if self._process is not None:
            # --kill-child does that only as long as process 1 has changed neither user nor rights.
            for first in processes.children(self._process.pid):
                first.kill()
            self._process.kill()
            self._process.wait(PATIENCE)

    @property
    def ended(self) -> tuple[int, ...]:
        """Its exit code, once it has ended."""
        assert self._process is not None, "not started"
        code = self._process.poll()
        return () if code is None else (code,)

    @property
    def has_begun(self) -> bool:
        """True once the engine's init has started what the image begins with.

        The shell that makes the mounts names the init, too, and has children: a signal that process 1
        has no handler for is lost.
        """
        return self.first.title.startswith(f"{' '.join(_PYTHON)} ") and bool(self.first.children())

    @property
    def first(self) -> processes.Process:
        """Its process 1."""
        assert self._process is not None, "not started"
        (found,) = eventually(lambda: processes.children(self._process_id), "it has a process 1")
        return found

    @property
    def log(self) -> str:
        """All that it logged."""
        return self._log.read_text(errors="replace")

    @property
    def _process_id(self) -> int:
        assert self._process is not None
        assert self._process.poll() is None, self.log[-2000:]
        return self._process.pid

    def _listens(self) -> bool:
        assert not self.ended, self.log[-2000:]
        runtime_dir = self._stage.environment["RUNTIME_DIRECTORY"]
        return Path(f"/proc/{self.first.pid}/root{runtime_dir}/control.sock").exists()

    def _bound(self) -> list[tuple[Path, str]]:
        """Folders and files of this machine, and where they are in the container."""
        found = []
        for each in self._service["volumes"]:
            source, inside = each.split(":")[:2]
            found.append((self._project / source.lstrip("/"), inside))
        for name in self._service["secrets"]:
            file = recipe.compose()["secrets"][name]["file"]
            found.append((self._project / file, f"/run/secrets/{name}"))
        return found

    def _mounts(self) -> list[str]:
        root = self._root.folder
        made = [f"mount -t proc proc {root}/proc"]
        for place in self._service["tmpfs"]:
            path, _, options = place.partition(":")
            made.append(f"mount -t tmpfs -o {options} tmpfs {root}{path}")
        for host, inside in self._bound():
            self._fill(host, inside)
            made.append(f"mount --bind {host} {root}{inside}")
        if self._service["init"]:
            init = SOURCES / "scripts/_reaping_init.py"
            (self._project / "init").write_bytes(init.read_bytes())
            made.append(f"mount --bind {self._project}/init {root}{_INIT}")
        if self._service["read_only"]:
            made.append(f"mount -o remount,bind,ro {root}")
        return made

    def _fill(self, host: Path, inside: str) -> None:
        """A new volume takes owner and mode from the image."""
        image = self._root.folder / inside.lstrip("/")
        if not host.exists():
            shutil.copytree(image, host)
            shutil.copystat(image, host)
            os.chown(host, image.stat().st_uid, image.stat().st_gid)

    def _as_its_user(self, command: list[str]) -> str:
        """``command`` within the root, with the rights that recipe and compose file leave."""
        user, group = self._stage.only("USER").text.split(":")
        rights = ["--no-new-privs"] if self._service["security_opt"] else []
        if self._service["cap_drop"] == ["ALL"]:
            rights += ["--inh-caps=-all", "--bounding-set=-all"]
        words = ["chroot", str(self._root.folder), "setpriv", *rights]
        words += [f"--reuid={user}", f"--regid={group}", "--clear-groups", "/usr/bin/env", "-i"]
        words += [f"{name}={value}" for name, value in self.environ.items()]
        return shlex.join([*words, *command])


def libraries_of_python() -> dict[str, str]:
    """The files that a Python needs that was built for another place, if it was."""
    return {} if sys.base_prefix == "/usr" else {"LD_LIBRARY_PATH": "/usr/local/lib"}


def wheels(folder: Path) -> str | None:
    """Fill ``folder`` with what builds the package; why that is not possible, if so."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)),
            *("setuptools", "wheel"),
        ],
        env=for_pip(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return None if done.returncode == 0 else f"pip failed: {done.stderr[-500:]}"
