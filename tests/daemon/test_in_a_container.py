"""The image, built by its Dockerfile's own commands, and run as the compose file says, without an engine."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.bot_process import bot_row
from support.container import Container, Image, Network, wheels
from support.deadline import eventually
from support.exchange import Exchange
from support.requirements import needs, require, skip

from execsvc.sandbox.server import Sandbox

PORT = 8099
TOKEN = "the-token-of-the-port"
SETTINGS = f"""
EXECSVC_BOT_SERVICE_URL=http://127.0.0.1:{PORT}
EXECSVC_EXCHANGE_ADAPTER_URL=http://127.0.0.1:{PORT}
EXECSVC_POLL_INTERVAL=0.2
"""
pytestmark = [
    needs("mount", "network namespaces", "another user"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Built by the commands of the Dockerfile."""
    require("mount", "network namespaces", "another user")
    mine = tmp_path_factory.getbasetemp()
    # Workers that run side by side share what one of them has built.
    folder = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "image"
    folder.mkdir(exist_ok=True)
    said = folder / "wheels.said"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            said.write_text(wheels(folder / "wheels") or "")
        if said.read_text():
            skip(
                said.read_text(), "an index of packages that pip reaches (PIP_INDEX_URL, pip.conf)"
            )
        return Image(folder)


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    yield made
    made.close()


@pytest.fixture
def exchange(network: Network) -> Iterator[Exchange]:
    """A sandbox in the container's network, seen from there by a connection that stays."""
    sandbox = Sandbox(PORT)
    with network.inside():
        sandbox.start()
        seen = Exchange(sandbox.url)
        seen.fund()
        seen.market(price="50000")
        yield seen
    sandbox.stop()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of the compose file, as an operator fills it in."""
    for name, text in (
        ("settings/execsvc.env", SETTINGS),
        ("secrets/http_token", f"{TOKEN}\n"),
        ("etc/machine-id", f"{'0a' * 16}\n"),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def container(image: Image, network: Network, project: Path) -> Iterator[Container]:
    made = Container(image, network, project)
    yield made
    made.kill()


def status(host: str, **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"http://{host}:8090/status", headers=headers, timeout=60)


def document() -> Any:
    return status("127.0.0.1", Authorization=f"Bearer {TOKEN}").json()


def poll_interval() -> Any:
    return document()["poll"]["interval_sec"]


def holds() -> bool:
    bots = document()["bots"]
    return bool(bots) and bots[0]["state"] == "RUNNING" and bots[0]["position"]["side"] == "BUY"


def test_the_container_is_built_started_looked_at_upgraded_and_stopped(
    container: Container, network: Network, exchange: Exchange, project: Path
) -> None:
    exchange.list_bots(bot_row())
    container.up()
    container.until_healthy()
    eventually(holds, "the bot holds")

    # The published port answers clients that have the token.
    assert status(network.address).status_code == 401
    assert status(network.address, Authorization=f"Bearer {TOKEN}").status_code == 200
    # A reload, as README says.
    env_file = project / "settings/execsvc.env"
    env_file.write_text(SETTINGS.replace("POLL_INTERVAL=0.2", "POLL_INTERVAL=0.3"))
    assert container.exec("sh", "-c", "kill -s HUP 1").returncode == 0
    eventually(lambda: poll_interval() == 0.3, "the settings are read again")
    # The process is of a user without a name, and has no right to become another.
    facts = container.exec("cat", "/proc/1/status").stdout
    assert "\nUid:\t10001\t10001\t10001\t10001\n" in facts
    assert "\nNoNewPrivs:\t1\n" in facts
    assert "\nCapBnd:\t0000000000000000\n" in facts
    # The state is where the volume is, and knows the machine.
    assert (project / "state/machine").read_text() == f"{'0a' * 16}\n"

    # An upgrade: ends and holds, and the next container resumes what the volume has.
    assert container.stop("SIGUSR2") == 0
    assert len(exchange.orders()) == 1
    container.up()
    container.until_healthy()
    eventually(holds, "the bot holds again")
    assert len(exchange.orders()) == 1

    # A stop sells, within the grace period.
    assert container.stop() == 0
    assert exchange.bots_base() == 0
    assert "killed" not in container.log


def test_the_health_check_fails_while_the_supervisor_does_not_answer(
    container: Container, exchange: Exchange
) -> None:
    container.up()
    container.until_healthy()
    (supervisor,) = container.first.children()

    assert supervisor.suspend()
    assert container.check_health() == 1
    os.kill(supervisor.pid, signal.SIGCONT)
    assert eventually(lambda: container.check_health() == 0, "healthy again")

    # As README says: from within, to the engine's init, which passes it on.
    assert container.exec("sh", "-c", "kill -s QUIT 1").returncode == 0
    assert eventually(lambda: container.ended, "it ends") == (128 + signal.SIGQUIT,)
    assert "most recent call first" in container.log


def test_a_forgotten_secret_refuses_the_start_by_a_line_that_says_so(
    container: Container, project: Path
) -> None:
    (project / "secrets/http_token").write_text("")
    container.up()

    assert eventually(lambda: container.ended, "it ends") == (78,)
    assert "EXECSVC_HTTP_TOKEN is not set" in container.log


def test_a_term_of_the_first_moment_ends_the_container_at_once(
    container: Container, exchange: Exchange
) -> None:
    container.up()
    eventually(lambda: container.has_begun, "init has started the daemon")

    assert container.stop() in (0, 128 + signal.SIGTERM)


def test_a_killed_container_leaves_no_process(container: Container) -> None:
    container.up()
    eventually(lambda: container.has_begun, "init has started the daemon")
    first = container.first

    container.kill()

    eventually(lambda: not first.lives, "its process 1 is gone")
