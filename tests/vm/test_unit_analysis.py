"""Our files, judged by systemd itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.installed import UNITS, Service
from support.machine import Machine

from execsvc import env_file

MOST_EXPOSED = "12"
"""Of ``systemd-analyze security``, in tenths."""


@pytest.mark.parametrize("name", ["execsvc.service", "execsvc@a.service"])
def test_verify_has_nothing_to_say(machine: Machine, name: str) -> None:
    done = machine.attempt("systemd-analyze", "verify", f"/etc/systemd/system/{name}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["execsvc.service", "execsvc@.service"])
def test_it_is_little_exposed(machine: Machine, name: str) -> None:
    judge = ("systemd-analyze", "security", "--offline=true", "--no-pager")
    file = f"/etc/systemd/system/{name}"
    assert machine.attempt(*judge, f"--threshold={MOST_EXPOSED}", file).returncode == 0
    assert machine.attempt(*judge, "--threshold=1", file).returncode != 0


def test_the_env_file_is_read_by_systemd_as_by_us(machine: Machine) -> None:
    lines = (UNITS / "execsvc.env").read_text().splitlines()
    text = "".join(f"{line.removeprefix('#')}\n" for line in lines if line.startswith("#EXECSVC_"))
    machine.write("/run/all.env", text)
    seen = machine.run(
        *("systemd-run", "--quiet", "--pipe", "--wait", "--property=EnvironmentFile=/run/all.env"),
        *("env", "--null"),
    )
    variables = dict(line.split("=", 1) for line in seen.split("\0") if "=" in line)
    assert env_file.parse(text) == {k: v for k, v in variables.items() if k.startswith("EXECSVC_")}


def test_users_and_folders_are_as_the_unit_wants_them(service: Service) -> None:
    service.start()
    machine = service.machine
    shown = machine.run(
        *("stat", "--format=%a %U %G", service.state_dir, "/run/execsvc", "/etc/execsvc"),
        "/etc/execsvc/credentials",
    )
    assert shown.splitlines() == [
        "700 execsvc execsvc",
        "700 execsvc execsvc",
        "750 root execsvc",
        "700 root root",
    ]
    assert Path(machine.run("getent", "passwd", "execsvc").split(":")[6]).name == "nologin"
