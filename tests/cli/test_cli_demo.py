from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from support import processes
from support.environment import scrubbed

pytestmark = pytest.mark.daemon

PATIENCE = 90.0


@pytest.fixture
def demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """``execsvc demo`` on free ports, its files under ``folder``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "execsvc", "demo", "--port", "0"],
        env=scrubbed(TMPDIR=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        yield process
        process.kill()


def lines_until(stream: IO[str] | None, *wanted: str) -> list[str]:
    """The lines up to the one with which all of ``wanted`` have been seen."""
    assert stream is not None
    seen: list[str] = []
    missing = set(wanted)
    until = time.monotonic() + PATIENCE
    while missing:
        assert time.monotonic() < until, seen
        line = stream.readline()
        assert line, f"ended without {missing}: {seen}"
        seen.append(line)
        missing = {text for text in missing if text not in line}
    return seen


def books(lines: list[str]) -> dict[str, list[str]]:
    """Bought, sold and left of each coin."""
    rows = [line.split() for line in lines if line.startswith("demo-account")]
    return {row[1]: row[2:] for row in rows}


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_demo_prints_the_actions_of_bots_and_ends_with_all_sold(
    demo: subprocess.Popen[str], signum: int
) -> None:
    holding = ("demo-btc  holding", "demo-eth  holding", "demo-sol  holding")
    seen = lines_until(demo.stdout, "/status", *holding)
    (url,) = re.findall(r"http://\S+/status", "".join(seen))
    with urllib.request.urlopen(url, timeout=60) as answer:
        running = json.load(answer)["running_bots"]
    demo.send_signal(signum)
    rest, _ = demo.communicate(timeout=PATIENCE)

    assert demo.returncode == 0, rest
    assert running == 3
    for bot in ("demo-btc", "demo-eth", "demo-sol"):
        story = [line for line in [*seen, *rest.splitlines()] if f"  {bot}  " in line]
        told = re.findall(r"(?<=  )(started|bought|holding|sold|stopped)", "".join(story))
        assert told[:3] == ["started", "bought", "holding"]
        assert told[-2:] == ["sold", "stopped"]
    assert set(books(rest.splitlines())) == {"BTC", "ETH"}
    for bought, sold, left in books(rest.splitlines()).values():
        assert (bought, left) == (sold, "0")


def test_demo_leaves_no_process_and_no_file(demo: subprocess.Popen[str], folder: Path) -> None:
    lines_until(demo.stdout, "/status")
    (daemon,) = processes.children(demo.pid)
    assert list(folder.iterdir())

    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=PATIENCE)

    assert list(folder.iterdir()) == []
    assert not daemon.lives


def test_demo_daemon_killed_is_reported_and_its_bots_sell(
    demo: subprocess.Popen[str],
) -> None:
    lines_until(demo.stdout, "demo-btc  holding", "demo-eth  holding")
    (daemon,) = processes.children(demo.pid)

    assert daemon.kill()
    rest, _ = demo.communicate(timeout=PATIENCE)

    assert demo.returncode == 1
    assert "the daemon ended by itself" in rest
    assert {left for _, _, left in books(rest.splitlines()).values()} == {"0"}


def test_demo_reader_gone_sells_all_before_it_ends(
    demo: subprocess.Popen[str], folder: Path
) -> None:
    """``execsvc demo | head``: not a word of the interpreter's, and nothing that trades on."""
    lines_until(demo.stdout, "/status", "demo-btc  holding")
    (daemon,) = processes.children(demo.pid)
    assert demo.stdout is not None
    demo.stdout.close()
    assert demo.wait(timeout=PATIENCE) == 141
    assert not daemon.lives
    assert list(folder.iterdir()) == []


def test_demo_output_full_says_so_and_leaves_nothing_behind(folder: Path) -> None:
    with Path("/dev/full").open("wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "execsvc", "demo", "--port", "0"],
            env=scrubbed(TMPDIR=str(folder)),
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
    said = "execsvc: standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert list(folder.iterdir()) == []
