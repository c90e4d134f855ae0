"""Who reads the log, or does not, must not matter to whoever writes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.says("lines_left_out")
def test_a_log_that_nobody_reads_holds_no_process_up(tmp_path: Path) -> None:
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
