"""Commands in the background: INT, which they inherit as ignored, stays ignored, and TERM ends them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.environment import ignoring, scrubbed
from support.exchange import Exchange
from support.stores import store_in
from support.verdicts import listed_again

from execsvc.recording.files import Recording
from execsvc.sandbox.server import Sandbox

pytestmark = pytest.mark.daemon

EXECSVC = [sys.executable, "-m", "execsvc"]
PATIENCE = 90.0
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@contextmanager
def background(
    *arguments: str, ignored: tuple[signal.Signals, ...] = (signal.SIGINT,), **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """A command that a shell has put into the background; it is killed if it still runs at the end."""
    with ignoring(*ignored):
        process = subprocess.Popen(
            [*EXECSVC, *arguments],
            env=scrubbed(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    with process:
        yield process
        process.kill()


def discards(pid: int, signum: signal.Signals) -> bool:
    """True when a signal would be lost: ignored, and not blocked, as it would stay pending then."""
    text = Path(f"/proc/{pid}/status").read_text()
    status = dict(line.split(":", 1) for line in text.splitlines())
    lost = int(status["SigIgn"], 16) & ~int(status["SigBlk"], 16)
    return bool(lost >> signum - 1 & 1)


def line_of(process: subprocess.Popen[str], pattern: str) -> str:
    """The match of ``pattern`` in the first line of the output that has one."""
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(pattern, line)
        if found:
            return found.group()
    raise AssertionError(f"ended without {pattern}: {process.stderr and process.stderr.read()}")


def test_follow_ignored_interrupt_goes_on_until_terminated(state_dir: Path) -> None:
    ledger = store_in(state_dir).bot("bot-1")
    ledger.open()
    ledger.log(AT, "started", "first", {})
    with background("log", "bot-1", "--follow") as following:
        line_of(following, "first")
        following.send_signal(signal.SIGINT)
        ledger.log(AT, "stopped", "second", {})
        line_of(following, "second")
        assert discards(following.pid, signal.SIGINT)
        following.terminate()
        assert following.communicate(timeout=PATIENCE) == ("", "")
    ledger.close()
    assert following.returncode == -signal.SIGTERM


def test_sandbox_ignored_interrupt_goes_on_until_terminated() -> None:
    with background("sandbox", "--port", "0") as sandbox:
        exchange = Exchange(line_of(sandbox, r"http://\S+"))
        eventually(lambda: exchange.requests_of("bots") == 0, "it answers")
        sandbox.send_signal(signal.SIGINT)
        assert discards(sandbox.pid, signal.SIGINT)
        assert exchange.requests_of("bots") == 0
        sandbox.terminate()
        assert sandbox.communicate(timeout=PATIENCE) == ("", "")
    assert sandbox.returncode == 0


def test_record_ignored_interrupt_goes_on_until_terminated(
    exchange: Exchange, tmp_path: Path
) -> None:
    exchange.market(price=None)
    market = ("--symbol", "BTC/USDT", "--key", "k1", "--every", "0.1")
    options = ("--out", str(tmp_path / "m.jsonl"), "--exchange-adapter-url", exchange.url)
    with background("record", *market, *options) as recording:
        eventually(lambda: exchange.requests_of("trades") >= 3, "it looks", PATIENCE)
        recording.send_signal(signal.SIGINT)
        seen = exchange.requests_of("trades")
        eventually(lambda: exchange.requests_of("trades") >= seen + 5, "it goes on", PATIENCE)
        assert discards(recording.pid, signal.SIGINT)
        recording.terminate()
        _, err = recording.communicate(timeout=PATIENCE)
    assert recording.returncode == 0
    assert "books and" in err
    (path,) = tmp_path.glob("m-*.jsonl")
    assert len(list(Recording(path))) >= 2


def test_run_ignored_interrupt_goes_on_until_terminated(
    sandbox: Sandbox, exchange: Exchange, tmp_path: Path
) -> None:
    exchange.list_bots(bot_row())
    daemon = Daemon(sandbox.url, tmp_path)
    with ignoring(signal.SIGINT):
        daemon.start()
    try:
        daemon.until_holding()
        assert discards(daemon.pid, signal.SIGINT)
        daemon.signal(signal.SIGINT)
        listed_again(exchange)
        assert daemon.status()["state"] == "RUNNING"
        assert exchange.orders(side="sell") == []
        assert daemon.stop() == 0
        assert len(exchange.executed(side="sell")) == 1
    finally:
        daemon.close()


def test_demo_of_nohup_goes_on_until_terminated(folder: Path) -> None:
    ignored = (signal.SIGINT, signal.SIGHUP)
    with background("demo", "--port", "0", ignored=ignored, TMPDIR=str(folder)) as demo:
        line_of(demo, "holding")
        for signum in ignored:
            assert discards(demo.pid, signum)
            demo.send_signal(signum)
        line_of(demo, "bought|sold|holding")
        demo.terminate()
        out, err = demo.communicate(timeout=PATIENCE)
    assert (demo.returncode, err) == (0, "")
    assert "stopping: every position is sold" in out
