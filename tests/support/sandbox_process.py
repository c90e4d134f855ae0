"""A sandbox in a process of its own: for tests that fork much, which threads here would disturb."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from support.environment import scrubbed
from support.starting import STARTS


@contextmanager
def sandbox_process() -> Iterator[str]:
    """The URL of a sandbox that ends with the block."""
    read_end, write_end = os.pipe()
    with open(read_end) as said_by_it, open(os.dup(2), "wb") as errors:  # noqa: PTH123 - of pipes
        with open(write_end, "wb") as output:  # noqa: PTH123
            process = STARTS.start(
                "execsvc", ["sandbox", "--port", "0"], scrubbed(), output, errors, session=False
            )
        try:
            said = said_by_it.readline()
            found = re.search(r"http://\S+", said)
            assert found, said
            yield found.group()
        finally:
            os.kill(
                process.pid, signal.SIGTERM
            )  # its end was not looked for yet: the pid is its own
            process.wait(timeout=90)
