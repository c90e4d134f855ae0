"""A sandbox in a process of its own: for tests that fork much, which threads here would disturb."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from support.environment import scrubbed


@contextmanager
def sandbox_process() -> Iterator[str]:
    """The URL of a sandbox that ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "execsvc", "sandbox", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=scrubbed(),
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, said
        yield found.group()
    finally:
        process.terminate()
        process.wait(timeout=90)
        process.stdout.close()
