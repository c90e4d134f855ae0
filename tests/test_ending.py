"""The beginning and the end of a run of the tests, as a person reads them from a pipe."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from support.environment import scrubbed

TESTS = Path(__file__).resolve().parent
SAMPLE = """
import time
import pytest
from support.requirements import skip

@pytest.fixture
def slow_to_come():
    time.sleep(0.4)

@pytest.mark.parametrize("number", range(30))
def test_quick(number):
    pass

def test_slow(slow_to_come):
    time.sleep(0.4)

@pytest.mark.parametrize("number", range(3))
def test_not_here(number):
    skip("there is no moon", "wait a month")

def test_not_here_either():
    pytest.skip("tired")

def test_fails():
    assert False
"""


def run(folder: Path, *arguments: str, sample: str = SAMPLE, code: int = 1) -> list[str]:
    """The lines that pytest prints into a pipe, with the plug-in and with the sample tests."""
    (folder / "pytest.ini").touch()
    (folder / "test_sample.py").write_text(sample)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "support.ending", *arguments],
        cwd=folder,
        env=scrubbed(PYTHONPATH=str(TESTS)),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_run_says_at_its_end_what_was_slow_and_skipped(tmp_path: Path, workers: str) -> None:
    named = [] if workers == "2" else ["test_sample.py"]
    lines = run(tmp_path, "-n", workers, "-k", "not 29", *named)

    tests, count = ("test_sample.py", "one worker") if named else ("all tests", "2 workers")
    assert lines[0] == (
        f"running {tests} that match 'not 29',"
        f" on Python {platform.python_version()}, with {count} on {os.cpu_count()} cores"
    )
    text = "\n".join(lines)
    assert "[100%]" in text
    (slow,) = [line.split() for line in lines if line.endswith("::test_slow")]
    assert float(slow[0]) >= 0.8, "its fixture counts"
    assert "the 1 slowest tests" in text
    start = lines.index("3 tests were skipped: there is no moon")
    assert lines[start + 1 : start + 3] == [
        "    to run: wait a month",
        "        3  test_sample.py",
    ]
    start = lines.index("1 test was skipped: tired")
    assert lines[start + 1] == "    to run: no remedy is known"
    assert f"1 tests were not asked for: this ran {tests} that match 'not 29'" in lines
    assert "1 failed" in lines[-1]


def test_run_that_cannot_read_a_test_says_so_and_no_more(tmp_path: Path) -> None:
    lines = run(tmp_path, "-n", "0", sample="def test_(:", code=2)

    assert "ERROR test_sample.py" in lines
    assert "INTERNALERROR" not in "\n".join(lines)
