"""``execsvc demo``: the whole service at work, on a paper exchange; its daemon is a child."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from execsvc import settings
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.output import table, watch_reader
from execsvc.clients.http import HttpClient
from execsvc.clock import monotonic
from execsvc.dispositions import not_ignored
from execsvc.errors import Unavailable
from execsvc.events import EventName
from execsvc.exit_codes import DONE, FAULT, RESIDUE
from execsvc.model.market import Symbol, plain
from execsvc.sandbox.books import all_books
from execsvc.sandbox.market import FeeReport, MarketChange
from execsvc.sandbox.server import Sandbox
from execsvc.store.opening import open_store

_STAMP = "2026-01-01T00:00:00.000000"
HOST = "127.0.0.1"
_POLL_MS = 250
_LINES_OF_LOG = 10
_LAST_SALES_TIMEOUT = 20.0
"""Seconds that bots have to sell when the daemon has ended before them."""
_PR_SET_PDEATHSIG = 1
_SHOWN_EVENTS: frozenset[EventName] = frozenset(
    {
        "bot_started",
        "order_filled",
        "order_refused",
        "liquidation_failed",
        "bot_given_up",
        "position_kept",
        "bot_flat",
    }
)
"""Events of a bot's execution log that are printed here."""

_libc = ctypes.CDLL(None)


@click.command(
    epilog=exit_codes(
        (DONE, "stopped, and everything is sold"),
        (FAULT, "the daemon ended by itself"),
        (RESIDUE, "a position is left unsold"),
    )
)
@click.option(
    "--port", type=int, default=8090, help="Port of /status; any free one when it is taken."
)
def demo(port: int) -> int:
    """Run a sandbox, three bots and the daemon together until Ctrl-C, then show the books."""
    rows = demo_bots()
    with tempfile.TemporaryDirectory(prefix="execsvc-demo-") as folder:
        sandbox_port = _free_port(0)
        daemon = DemoDaemon(Path(folder), f"http://{HOST}:{sandbox_port}", _free_port(port))
        # Forked before the sandbox makes its threads; it takes longer to start than they do.
        daemon.start()
        sandbox = Sandbox(sandbox_port, rows)
        # A fee in the coin that is bought leaves rests too small to be sold.
        sandbox.state.market.change(MarketChange(fees=FeeReport.QUOTE))
        sandbox.start()
        bot_ids = [row["id"] for row in rows]
        try:
            code = daemon.follow(bot_ids)
        finally:
            daemon.end(bot_ids)
            sandbox.stop()
        on_paper = [r["id"] for r in rows if r["global_settings"]["mode"] == "PAPER"]
        left = _show_books(all_books(sandbox.state.exchange, None, events=False)["accounts"])
        click.echo(f"Traded on paper, and so in no books: {', '.join(on_paper)}")
    return code or (RESIDUE if left else DONE)


def demo_bots() -> list[dict[str, Any]]:
    """Rows for BotService: two live bots on one account and one on paper, with short intervals."""
    return [
        _row("demo-btc", "BTC, live", "BTC/USDT", "LIVE", 0.1, 5),
        _row("demo-eth", "ETH, live", "ETH/USDT", "LIVE", 0.05, 8),
        _row("demo-sol", "SOL, on paper", "SOL/USDT", "PAPER", 0.2, 5),
    ]


def _row(bot_id: str, name: str, symbol: str, mode: str, ratio: float, hold: int) -> dict[str, Any]:
    return {
        "id": bot_id,
        "name": name,
        "status": "RUNNING",
        "status_message": None,
        "global_settings": {
            "exchange": "demo-account",
            "symbol": symbol,
            "account_allocation": "1000",
            "mode": mode,
        },
        "pipeline": {
            "strategy": {
                "id": "test_trading_v1",
                "params": {"allocation_ratio": ratio, "hold_duration": hold, "loop_count": 0},
            },
            "triggers": {"interval_sec": 1},
        },
        "created_at": _STAMP,
        "updated_at": _STAMP,
    }


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError:
            probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _show_books(accounts: dict[str, Any]) -> bool:
    """Print the book of each coin; True when a part of what was bought is left."""
    header = ["ACCOUNT", "COIN", "BOUGHT", "SOLD", "LEFT"]
    rows = [
        [key_id, coin, *(account["assets"][coin][name] for name in ("bought", "sold", "left"))]
        for key_id, account in accounts.items()
        for coin in sorted({Symbol.parse(order["symbol"]).base for order in account["orders"]})
    ]
    click.echo("\nThe books of the sandbox's exchange:")
    click.echo(table(header, rows) if rows else "nothing was traded")
    return any(Decimal(row[-1]) for row in rows)


class DemoDaemon:
    """``execsvc run`` as a child, and the execution logs of its bots meanwhile."""

    def __init__(self, folder: Path, services: str, port: int) -> None:
        self._log = folder / "daemon.log"
        self._url = f"http://{HOST}:{port}"
        self._settings = {
            "EXECSVC_BOT_SERVICE_URL": services,
            "EXECSVC_EXCHANGE_ADAPTER_URL": services,
            "EXECSVC_STATE_DIR": str(folder / "state"),
            "EXECSVC_RUNTIME_DIR": str(folder / "run"),
            "EXECSVC_HTTP_BIND": f"{HOST}:{port}",
            "EXECSVC_POLL_INTERVAL": "1",
        }
        self._store = open_store(settings.load({}, None, self._settings))
        self._seen: dict[str, int] = {}
        self._announced = False
        self._stopping = False

    def start(self) -> None:
        """Start the daemon; it ends with this process."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("EXECSVC_")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "execsvc", "run"],
                env={**inherited, **self._settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us, we pass it on
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - there are no threads yet
            )

    def follow(self, bot_ids: list[str]) -> int:
        """Print the actions of the bots until the daemon has ended; stop it when a signal asks for
        that.

        Raises OSError when standard output cannot be written, BrokenPipeError when it has no
        reader.
        """
        with _signals() as signalled, _pidfd(self._process.pid) as ended:
            events = select.poll()
            events.register(signalled, select.POLLIN)
            events.register(ended, select.POLLIN)
            output = watch_reader(events)
            while ended not in (ready := [fd for fd, _ in events.poll(_POLL_MS)]):
                if output in ready:
                    raise BrokenPipeError
                if signalled in ready:
                    os.read(signalled, 100)
                    self._stop()
                self._announce()
                self._print_new_rows(bot_ids)
            events.unregister(ended)
            self._await_last_sales(bot_ids, events)
        self._print_new_rows(bot_ids)
        return self._exit_code(self._process.wait())

    def end(self, bot_ids: list[str]) -> None:
        """Stop a daemon that still runs, and wait until it has ended; print nothing."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
            self._await_last_sales(bot_ids, select.poll())

    def _await_last_sales(self, bot_ids: list[str], interrupted: select.poll) -> None:
        """Give bots that have lost their supervisor the time to sell: the exchange must run that
        long.
        """
        until = monotonic() + _LAST_SALES_TIMEOUT
        while self._is_open(bot_ids) and monotonic() < until:
            if interrupted.poll(_POLL_MS):
                break

    def _announce(self) -> None:
        if self._announced:
            return
        with suppress(Unavailable):
            HttpClient(self._url, None, timeout=1.0).get("health", "/health", {})
            click.echo(f"The bots are shown at {self._url}/status, the log is {self._log}")
            click.echo("Ctrl-C stops them, and sells what they hold.")
            self._announced = True

    def _stop(self) -> None:
        click.echo("stopping: every position is sold" if not self._stopping else "stopping at once")
        self._stopping = True
        self._process.terminate()

    def _print_new_rows(self, bot_ids: list[str]) -> None:
        for bot_id in bot_ids:
            if not self._store.has_bot(bot_id):
                continue
            for row in self._store.read_log(bot_id, self._seen.get(bot_id, 0)):
                self._seen[bot_id] = row.seq
                if row.event in _SHOWN_EVENTS:
                    click.echo(f"{row.at[11:19]}  {bot_id:<8}  {row.text}")
                if row.event == "order_filled" and row.data.get("side") == "buy":
                    self._print_holding(bot_id, row.at)

    def _is_open(self, bot_ids: list[str]) -> bool:
        states = [self._store.read(bot_id) for bot_id in bot_ids]
        return any(state is not None and state.is_open for state in states)

    def _print_holding(self, bot_id: str, at: str) -> None:
        state = self._store.read(bot_id)
        if state is not None and state.binding is not None and not state.position.is_flat:
            held = f"{plain(state.position.tracked)} {state.binding.base}"
            click.echo(f"{at[11:19]}  {bot_id:<8}  holding {held}")

    def _exit_code(self, code: int) -> int:
        if self._stopping:
            # The daemon may not handle signals yet; nothing was bought then.
            return DONE if code == -signal.SIGTERM else code
        lines = self._log.read_text(errors="replace").splitlines()[-_LINES_OF_LOG:]
        click.echo("\n".join(["the daemon ended by itself:", *lines]), err=True)
        return FAULT


@contextmanager
def _signals() -> Iterator[int]:
    """A descriptor that becomes readable when a signal asks this process to stop."""
    readable, writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    kept = {
        signum: signal.signal(signum, lambda *_: None)
        for signum in {signal.SIGTERM, *not_ignored(signal.SIGINT, signal.SIGHUP)}
    }
    try:
        yield readable
    finally:
        for signum, handler in kept.items():
            signal.signal(signum, handler)
        signal.set_wakeup_fd(before)
        os.close(readable)
        os.close(writable)


@contextmanager
def _pidfd(pid: int) -> Iterator[int]:
    """A descriptor that becomes readable when the child ``pid`` has ended."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _die_with_parent() -> None:
    """Let this process be killed with its parent: a demo that is killed leaves no daemon behind."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
