"""scripts/bench as far as it can be wrong: what it calls, and the table it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.environment import scrubbed

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
MEASURED = {
    "100 bots": {
        "execsvc": {"start": [0.8, 0.75, 0.9], "stop": [0.2]},
        "supervisord": {"start": [25.0]},
        "circus": {},
    },
    "one read of 50 levels": {"execsvc": {"our_read": [171.2]}},
    "nobody": {"execsvc": {}, "circus": {"start": [1.0]}},
}


def program(*arguments: str) -> str:
    """The output of a Python that can import the bench."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        env=scrubbed(PYTHONPATH=str(SCRIPTS)),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_bench_one_process_measures_reads_and_ticks() -> None:
    found = json.loads(
        program(
            "-c",
            "import json; from _bench import one_process; one_process.ROUNDS = 5\n"
            "print(json.dumps({**one_process.reads(), **one_process.sequential_ticks()}))",
        )
    )
    assert len(found) == 5
    assert all(value > 0 for value in found.values())


def test_bench_results_of_a_file_are_printed_as_a_table(tmp_path: Path) -> None:
    before, again = tmp_path / "before.json", tmp_path / "again.json"
    before.write_text(json.dumps(MEASURED))
    printed = program(
        *("-m", "_bench", "--peers", "none", "--from", str(before), "--json", str(again))
    )
    start, stop, read = (
        next(line.split() for line in printed.splitlines() if line.strip().startswith(what))
        for what in ("listing", "TERM", "ours, CPU")
    )
    assert start[-5:] == ["0.80", "(0.75-0.90)", "25.0", "31.2", "x"]
    assert stop[-1] == "0.20"
    assert read[-3:] == ["<=", "300", "171"]
    assert json.loads(again.read_text()) == MEASURED


def test_bench_figures_of_a_process_that_is_gone_are_left_out() -> None:
    code = (
        "import os, subprocess\n"
        "from _bench.managers import memory_of, of_running\n"
        "zombie, reaped = subprocess.Popen(['true']), subprocess.Popen(['true'])\n"
        "os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)\n"
        "reaped.wait()\n"
        "pids = [os.getpid(), zombie.pid, reaped.pid]\n"
        "seen = of_running(pids, lambda pid: memory_of(pid, 'Pss'))\n"
        "print(len(seen), seen[0] > 1, len(of_running(pids, os.pidfd_open)))"
    )
    assert program("-c", code) == "1 True 2\n"
