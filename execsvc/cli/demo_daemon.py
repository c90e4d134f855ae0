"""The daemon of ``execsvc demo``: a child, and the execution logs of its bots meanwhile."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from execsvc import settings
from execsvc.cli.output import watch_reader
from execsvc.clients.http import HttpClient
from execsvc.clock import monotonic
from execsvc.dispositions import not_ignored
from execsvc.errors import Unavailable
from execsvc.events import EventName
from execsvc.exit_codes import DONE, FAULT
from execsvc.model.market import plain
from execsvc.store.opening import open_store

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
