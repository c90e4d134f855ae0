"""Standard error with and without a reader: neither delays or ends the process that logs."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from support.environment import scrubbed

from execsvc.clock import SYSTEM
from execsvc.logs.standard_error import StandardError


@pytest.mark.says("lines_left_out")
def test_stderr_without_a_reader_delays_no_process(tmp_path: Path) -> None:
    """A full pipe: what does not fit is left out, and said once it is read again."""
    code = (
        "import sys\n"
        "from execsvc import logs\n"
        "logs.setup('INFO', 'json')\n"
        "for n in range(3000): logs.bound(bot_id='b').info('{}', 'x' * 100)\n"
        "print('went on', flush=True)\n"
        "sys.stdin.read(1)\n"
        "logs.bound(bot_id='b').info('heard again')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=scrubbed(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"went on\n"
    heard = os.read(process.stderr.fileno(), 1 << 20)
    process.stdin.write(b"x")
    process.stdin.close()
    heard += process.stderr.read()
    assert process.wait() == 0
    (tmp_path / "heard.log").write_bytes(heard)
    lines = [json.loads(line) for line in heard.decode().splitlines()]
    assert "lines were left out" in lines[-2]["message"]
    assert lines[-1]["message"] == "heard again"
    process.stdout.close()
    process.stderr.close()


def test_stderr_line_written_in_part_is_followed_by_a_new_line() -> None:
    kept, (reader, writer) = os.dup(2), os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, select.PIPE_BUF)
    os.dup2(writer, 2)
    try:
        stderr = StandardError(str)
        torn = stderr.deliver(cast(Any, "x" * 10_000), SYSTEM.monotonic())
        heard = os.read(reader, 65536)
        whole = stderr.deliver(cast(Any, "next"), SYSTEM.monotonic())
        heard += os.read(reader, 65536)
    finally:
        os.dup2(kept, 2)
        for descriptor in (kept, reader, writer):
            os.close(descriptor)
    assert (torn, whole) == (False, True)
    assert heard == b"x" * select.PIPE_BUF + b"\nnext\n"
