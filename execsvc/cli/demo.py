"""``execsvc demo``: the whole of it at work, on an exchange that is not one."""

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

from execsvc.cli.exit_codes import DONE, FAULT, RESIDUE, exit_codes
from execsvc.cli.table import table
from execsvc.clients.http import HttpClient
from execsvc.clock import monotonic
from execsvc.errors import Unavailable
from execsvc.events import EventName
from execsvc.ledger import survey
from execsvc.ledger.bot_ledger import ledger_path
from execsvc.model.market import plain
from execsvc.sandbox.books import all_books
from execsvc.sandbox.demo import demo_bots
from execsvc.sandbox.market import FeeReport, MarketChange
from execsvc.sandbox.server import Sandbox

_HOST = "127.0.0.1"
_LOOK_EVERY_MS = 250
_LINES_OF_LOG = 10
_LAST_SALES = 20.0
"""Seconds that bots have to sell when the daemon has ended without them."""
_PR_SET_PDEATHSIG = 1
_TOLD: frozenset[EventName] = frozenset(
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
"""Events of a bot's execution log that are worth a line here."""

_libc = ctypes.CDLL(None)


@click.command(
    epilog=exit_codes(
        (DONE, "stopped, and everything is sold"),
        (FAULT, "the daemon ended by itself"),
        (RESIDUE, "something is left unsold"),
    )
)
@click.option("--port", type=int, default=8090, help="Of /status; any free one when it is taken.")
def demo(port: int) -> int:
    """Run a sandbox, three bots and the daemon together until Ctrl-C, then show the books."""
    rows = demo_bots()
    with tempfile.TemporaryDirectory(prefix="execsvc-demo-") as folder:
        sandbox_port = _free_port(0)
        daemon = _Daemon(Path(folder), f"http://{_HOST}:{sandbox_port}", _free_port(port))
        # Forked before the sandbox makes its threads; it takes longer to start than they do.
        daemon.start()
        sandbox = Sandbox(sandbox_port, rows)
        # A fee in the coin that is bought leaves crumbs too small to be sold.
        sandbox.state.market.change(MarketChange(fees=FeeReport.QUOTE))
        sandbox.start()
        try:
            code = daemon.follow([row["id"] for row in rows])
        finally:
            sandbox.stop()
        on_paper = [r["id"] for r in rows if r["global_settings"]["mode"] == "PAPER"]
        left = _show_books(all_books(sandbox.state.exchange, None, events=False)["accounts"])
        click.echo(f"Traded on paper, and so in no books: {', '.join(on_paper)}")
    return code or (RESIDUE if left else DONE)


class _Daemon:
    """``execsvc run`` as a child, and what its bots' ledgers tell meanwhile."""

    def __init__(self, folder: Path, services: str, port: int) -> None:
        self._state_dir = folder / "state"
        self._log = folder / "daemon.log"
        self._url = f"http://{_HOST}:{port}"
        self._settings = {
            "EXECSVC_BOT_SERVICE_URL": services,
            "EXECSVC_EXCHANGE_ADAPTER_URL": services,
            "EXECSVC_STATE_DIR": str(self._state_dir),
            "EXECSVC_RUNTIME_DIR": str(folder / "run"),
            "EXECSVC_HTTP_BIND": f"{_HOST}:{port}",
            "EXECSVC_POLL_INTERVAL": "1",
        }
        self._seen: dict[str, int] = {}
        self._announced = False
        self._stopping = False

    def start(self) -> None:
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
        """Tell what the bots do until the daemon has ended; stop it when we are told to."""
        with _signals() as told, _pidfd(self._process.pid) as ended:
            events = select.poll()
            events.register(told, select.POLLIN)
            events.register(ended, select.POLLIN)
            while ended not in (ready := [fd for fd, _ in events.poll(_LOOK_EVERY_MS)]):
                if told in ready:
                    os.read(told, 100)
                    self._stop()
                self._announce()
                self._tell_news(bot_ids)
            events.unregister(ended)
            # Bots that have lost their supervisor sell by themselves; the exchange must last so long.
            until = monotonic() + _LAST_SALES
            while self._is_open(bot_ids) and monotonic() < until:
                if events.poll(_LOOK_EVERY_MS):
                    break
        self._tell_news(bot_ids)
        return self._verdict(self._process.wait())

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

    def _tell_news(self, bot_ids: list[str]) -> None:
        for bot_id in bot_ids:
            if not ledger_path(self._state_dir, bot_id).exists():
                continue
            for row in survey.read_log(self._state_dir, bot_id, self._seen.get(bot_id, 0)):
                self._seen[bot_id] = row.seq
                if row.event in _TOLD:
                    click.echo(f"{row.at[11:19]}  {bot_id:<8}  {row.text}")
                if row.event == "order_filled" and row.data.get("side") == "buy":
                    self._tell_holding(bot_id, row.at)

    def _is_open(self, bot_ids: list[str]) -> bool:
        states = [survey.read(self._state_dir, bot_id) for bot_id in bot_ids]
        return any(state is not None and state.is_open for state in states)

    def _tell_holding(self, bot_id: str, at: str) -> None:
        state = survey.read(self._state_dir, bot_id)
        if state is not None and state.binding is not None and not state.position.is_flat:
            held = f"{plain(state.position.tracked)} {state.binding.base}"
            click.echo(f"{at[11:19]}  {bot_id:<8}  holding {held}")

    def _verdict(self, code: int) -> int:
        if self._stopping:
            # It may not have come as far as to listen to signals; nothing was bought then.
            return DONE if code == -signal.SIGTERM else code
        lines = self._log.read_text(errors="replace").splitlines()[-_LINES_OF_LOG:]
        click.echo("\n".join(["the daemon ended by itself:", *lines]), err=True)
        return FAULT


@contextmanager
def _signals() -> Iterator[int]:
    """A descriptor that becomes readable when this process is told to stop."""
    readable, writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    kept = {
        signum: signal.signal(signum, lambda *_: None)
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
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
    """A demo that is killed leaves no daemon behind."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, wanted))
        except OSError:
            probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _show_books(accounts: dict[str, Any]) -> bool:
    """Print what each coin's book says; True when something is left of what was bought."""
    header = ["ACCOUNT", "COIN", "BOUGHT", "SOLD", "LEFT"]
    rows = [
        [key_id, coin, *(account["assets"][coin][name] for name in ("bought", "sold", "left"))]
        for key_id, account in accounts.items()
        for coin in sorted({order["symbol"].split("/")[0] for order in account["orders"]})
    ]
    click.echo("\nThe books of the sandbox's exchange:")
    click.echo(table(header, rows) if rows else "nothing was traded")
    return any(Decimal(row[-1]) for row in rows)
