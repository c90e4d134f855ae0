"""The init under which the tests run a second time: it reaps at once, and stands in for the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import processes
from support.deadline import eventually
from support.environment import scrubbed

INIT = Path(__file__).parents[1] / "scripts" / "_reaping_init.py"


def command(*arguments: str) -> list[str]:
    """The command line that runs ``arguments`` under the init."""
    return [sys.executable, "-I", str(INIT), *arguments]


def under_init(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The end of a command under the init."""
    return subprocess.run(
        command(*arguments), env=scrubbed(), capture_output=True, text=True, timeout=60, check=False
    )


def shell(script: str) -> subprocess.CompletedProcess[str]:
    """The same for a shell script."""
    return under_init("sh", "-c", script)


@pytest.mark.parametrize("code", [0, 1, 75, 255])
def test_init_exits_with_the_code_of_its_command(code: int) -> None:
    done = shell(f"echo out; echo err >&2; exit {code}")
    assert (done.returncode, done.stdout, done.stderr) == (code, "out\n", "err\n")


def test_init_whose_command_a_signal_ends_says_which() -> None:
    assert shell("kill -KILL $$").returncode == 128 + signal.SIGKILL


@pytest.mark.parametrize("arguments", [(), ("/no/such/program",), ("/etc/passwd",)])
def test_init_whose_command_cannot_start_says_why(arguments: tuple[str, ...]) -> None:
    done = under_init(*arguments)
    assert done.returncode == 127
    assert len(done.stderr.splitlines()) == 1


def test_init_reaps_an_orphan_at_once() -> None:
    """A process whose parent ended before it leaves no zombie."""
    orphan = "import os; os.fork() or os.fork() or print(os.getpid(), flush=True)"
    code = (
        "import os, subprocess, sys, time\n"
        f"said = subprocess.run([sys.executable, '-c', {orphan!r}], stdout=subprocess.PIPE).stdout\n"
        "until = time.monotonic() + 50\n"
        "while os.path.exists(f'/proc/{int(said)}'):\n"
        "    assert time.monotonic() < until, 'it is a zombie'\n"
    )
    done = under_init(sys.executable, "-c", code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_init_passes_a_signal_on_to_its_command(signum: signal.Signals) -> None:
    name = signum.name.removeprefix("SIG")
    script = f"trap 'echo heard; exit 7' {name}; echo ready; while :; do sleep 0.02; done"
    with subprocess.Popen(
        command("sh", "-c", script), env=scrubbed(), stdout=subprocess.PIPE, text=True
    ) as init:
        assert init.stdout is not None
        assert init.stdout.readline() == "ready\n"
        init.send_signal(signum)
        assert init.stdout.read() == "heard\n"
    assert init.returncode == 7


@pytest.mark.parametrize("wrapper", [[], ["env", "--ignore-signal=INT"]], ids=["plain", "ignoring"])
def test_init_gives_its_command_signals_as_it_found_them(wrapper: list[str]) -> None:
    """Python ignores SIGPIPE, and blocked signals are inherited; a command is to see neither."""
    shown = ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]
    masks = []
    for arguments in (shown, command(*shown)):
        done = subprocess.run(
            [*wrapper, *arguments], env=scrubbed(), capture_output=True, text=True, check=True
        )
        # Above 31 are those that the C library keeps for itself.
        masks.append([int(line.split()[1], 16) % 2**31 for line in done.stdout.splitlines()])
    assert masks[0] == masks[1]
    assert not wrapper or masks[0][1] & 1 << (signal.SIGINT - 1)


def test_init_ends_and_names_what_its_command_left_behind() -> None:
    # While a process is being replaced by its command, the kernel shows no title of it.
    begun = "until grep -qs 611 /proc/$!/cmdline && ! grep -qs exit /proc/$!/cmdline; do :; done"
    done = shell(f"sleep 611 >/dev/null 2>&1 & echo $!; {begun}; exit 3")
    assert done.returncode == 3
    assert not processes.is_alive(int(done.stdout))
    assert f"left behind: pid {int(done.stdout)}, sleep 611" in done.stderr


def test_init_below_an_ignored_sigchld_still_learns_the_exit_code() -> None:
    done = subprocess.run(
        ["env", "--ignore-signal=CHLD", *command("sh", "-c", "exit 9")],
        env=scrubbed(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 9


def test_init_that_is_busy_reaping_misses_no_end() -> None:
    # A fixture of other tests in this worker may keep a process that has nothing to do with the init.
    before = {child.pid for child in processes.children(os.getpid())}
    script = "i=0; while [ $i -lt 200 ]; do (sleep 0 & ) ; i=$((i+1)); done; exit 4"
    done = shell(script)
    assert done.returncode == 4
    eventually(
        lambda: {child.pid for child in processes.children(os.getpid())} <= before,
        "nothing of it is left",
    )
