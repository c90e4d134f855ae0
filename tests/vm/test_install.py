"""scripts/install and scripts/uninstall, on a machine that has never seen execsvc."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.machine import booted
from support.requirements import require, skip
from support.workshop import Workshop, replace, wheels

PLACES = (
    "/etc/execsvc",
    "/etc/systemd/system",
    "/etc/sysusers.d",
    "/etc/tmpfiles.d",
    "/opt/execsvc/current",
    "/opt/execsvc/releases",
    "/usr/local/bin/execsvc",
    "/var/lib/execsvc",
)
SLOW = pytest.mark.timeout(900)
"""Each release is built by pip, from nothing, on a machine that may be busy."""
PROGRAMS = [place for place in PLACES if place not in ("/etc/execsvc", "/var/lib/execsvc")]


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All packages that an install takes."""
    require("machine")
    mine = tmp_path_factory.getbasetemp()
    # Workers that run side by side share what one of them has fetched.
    shared = mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine
    said = shared / "wheels.said"
    with (shared / "wheels.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            said.write_text(wheels(shared / "wheels") or "")
    if said.read_text():
        skip(said.read_text(), "an index of packages that pip reaches (PIP_INDEX_URL, pip.conf)")
    return shared / "wheels"


@pytest.fixture(scope="session")
def kept(index: Path) -> Path:
    """The place where the first release that is built is kept for other machines."""
    return index.with_name("releases")


@pytest.fixture
def workshop(index: Path) -> Iterator[Workshop]:
    """A machine of its own for each test: what is tested is the machine itself."""
    machine = booted(f"execsvc-install-{os.getpid()}")
    try:
        yield Workshop(machine, index)
    finally:
        # An orderly end would go on selling until its time is over: the exchange ends as well.
        machine.attempt("systemctl", "kill", "-s", "KILL", "execsvc")
        machine.attempt("systemctl", "stop", "execsvc")
        machine.off()


@pytest.fixture
def holding(workshop: Workshop, kept: Path) -> Workshop:
    """Version v1 installed and started, and a bot that holds a position."""
    first = workshop.first_install(kept)
    assert first.code == 0, first.err
    workshop.fill_in()
    workshop.exchange.list_bots(bot_row())
    done = workshop.script("v1", "install")
    assert done.code == 0, done.err
    workshop.service.until_holding()
    return workshop


def version(workshop: Workshop) -> str:
    return workshop.command("--version").out.split()[1].split(".")[0]


def still_holds(workshop: Workshop, tracked: str) -> bool:
    """The bot runs on with the position it had, without an order in between."""
    bot = workshop.service.until_holding()
    return bot["position"]["tracked"] == tracked and len(workshop.exchange.orders()) == 1


@SLOW
def test_from_nothing_to_nothing(workshop: Workshop, kept: Path) -> None:
    first = workshop.first_install(kept, anew=True)
    assert first.code == 0, first.err
    assert "building release" in first.err
    assert "fill in /etc/execsvc/execsvc.env" in first.err
    assert workshop.service.show("ActiveState") == "inactive"
    assert workshop.service.show("UnitFileState") == "enabled"
    assert workshop.command("status").code == 69

    workshop.fill_in()
    workshop.exchange.list_bots(bot_row())
    started = workshop.script("v1", "install")
    assert started.code == 0, started.err
    workshop.service.until_holding()
    before = workshop.there(*PLACES[:-1])
    again = workshop.script("v1", "install")
    assert (again.code, len(again.err.splitlines())) == (0, 1)
    assert workshop.there(*PLACES[:-1]) == before

    refused = workshop.script("v1", "uninstall")
    assert refused.code == 1
    assert "bot b1, BTC/USDT, tracked" in refused.err
    assert "execsvc halt" in refused.last
    assert workshop.service.show("ActiveState") == "active"

    workshop.exchange.stop_bot()
    eventually(lambda: workshop.service.bot().get("state") == "STOPPED", "the bot is flat", 60)
    removed = workshop.script("v1", "uninstall")
    assert removed.code == 0, removed.err
    assert "execsvc" not in "".join(workshop.there(*PROGRAMS))
    assert workshop.there("/var/lib/execsvc/bots", "/etc/execsvc/execsvc.env")
    assert workshop.service.show("LoadState") == "not-found"

    purged = workshop.script("v1", "uninstall", "--purge")
    assert purged.code == 0, purged.err
    assert "execsvc" not in "".join(workshop.there(*PLACES))
    assert workshop.machine.attempt("getent", "passwd", "execsvc").returncode != 0


@SLOW
def test_an_upgrade_holds_and_resumes_and_one_that_fails_is_taken_back(holding: Workshop) -> None:
    tracked = holding.service.bot()["position"]["tracked"]
    holding.sources("v2")
    assert "--upgrade" in holding.script("v2", "install").last
    done = holding.script("v2", "install", "--upgrade")
    assert done.code == 0, done.err
    assert version(holding) == "v2"
    assert holding.service.show("Description").startswith("v2")
    assert still_holds(holding, tracked)

    broken = holding.sources("v3")
    replace(
        broken / "execsvc/supervisor/supervisor.py",
        "    def run(self) -> int:",
        "    def run(self) -> int:\n        raise SystemError",
    )
    replace(
        broken / "execsvc/settings/model.py",
        '"liquidate",\n        description="Positions when',
        'description="Positions when',
    )
    env_file = holding.machine.path("/etc/execsvc/execsvc.env")
    replace(env_file, "#EXECSVC_ON_SHUTDOWN=", "EXECSVC_ON_SHUTDOWN=")
    failed = holding.script("v3", "install", "--upgrade")
    assert failed.code == 1
    assert "did not get ready" in failed.last
    assert version(holding) == "v2"
    assert holding.service.show("Description").startswith("v2")
    assert still_holds(holding, tracked)

    pid = holding.service.main_pid
    replace(holding.sources("v4") / "setup.cfg", "click>=8.2.0", "click>=8000")
    failed = holding.script("v4", "install", "--upgrade")
    assert failed.code == 1
    assert "nothing was changed" in failed.last
    # A release that is built already: without that setting it refuses the settings that v2 takes.
    replace(env_file, "EXECSVC_ON_SHUTDOWN=", "#EXECSVC_ON_SHUTDOWN=")
    failed = holding.script("v3", "install", "--upgrade")
    assert failed.code == 1
    assert "EXECSVC_ON_SHUTDOWN: is required" in failed.err
    assert "was not touched" in failed.last
    assert (version(holding), holding.service.main_pid) == ("v2", pid)


@SLOW
def test_a_position_is_seen_whatever_hides_it(holding: Workshop) -> None:
    state = "/var/lib/execsvc/bots"
    holding.machine.run("systemctl", "kill", "-s", "USR2", "--kill-who=main", "execsvc")
    holding.service.until(ActiveState="inactive")
    assert "tracked" in holding.script("v1", "uninstall").err
    holding.machine.run(
        "sh", "-c", f"rm -f {state}/*.db-* && for f in {state}/*.db; do : >$f; done"
    )
    unreadable = holding.script("v1", "uninstall", "--purge")
    assert unreadable.code == 1
    assert "cannot be read" in unreadable.err
    holding.machine.run("rm", "/opt/execsvc/current")
    assert holding.script("v1", "uninstall", "--purge").code == 1

    told = holding.script("v1", "uninstall", "--purge", "--abandon-positions")

    assert told.code == 0, told.err
    assert "execsvc" not in "".join(holding.there(*PLACES))


@SLOW
def test_the_program_is_its_user_s_whoever_calls_it(holding: Workshop) -> None:
    holding.machine.write("/etc/execsvc/credentials/bot_service_token", "from-a-file\n", 0o600)
    checked = holding.command("doctor", "--json")
    findings = json.loads(checked.out)["findings"]
    assert [f for f in findings if f["level"] != "ok"] == []
    asked = holding.exchange.call("GET", "/sandbox/requests?last=50")["listings"]
    assert "Bearer from-a-file" in {row["authorization"] for row in asked}
    owners = holding.there("/var/lib/execsvc", "/run/execsvc")
    assert [line for line in owners if "execsvc:execsvc" not in line] == []

    second = holding.command("@b", "status")
    assert (second.code, "/run/execsvc-b:" in second.err) == (69, True)
    assert holding.command("@../b", "status").code == 2
    halted = holding.command("@b", "halt")
    assert (halted.code, "from the next start on" in halted.err) == (69, True)
    owners = holding.there("/var/lib/execsvc-b")
    assert [line for line in owners if "/var/lib/execsvc-b/halted.json" in line] != []
    assert [line for line in owners if "execsvc:execsvc" not in line] == []

    nobody = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
    status = holding.machine.attempt(*nobody, "/usr/local/bin/execsvc", "status")
    assert status.returncode == 77
    assert (
        status.stderr
        == "execsvc: only root and the user execsvc may call this command: sudo execsvc status\n"
    )
    for allowed in (["--version"], ["strategies"], ["check", "--help"]):
        done = holding.machine.attempt(*nobody, "/usr/local/bin/execsvc", *allowed)
        assert done.returncode == 0, done.stderr
