"""A sandbox in a process of its own: for tests that fork much, which threads here would disturb."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sandbox_process() -> Iterator[str]:
    """The URL of a sandbox that ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "execsvc", "sandbox", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("EXECSVC_")},
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, said
        yield found.group()
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
