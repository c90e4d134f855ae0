"""The calls of the operator's commands to the daemon of this machine, and the waits for its bots."""

from __future__ import annotations

import json
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from execsvc.cli.output import cut, plain_text, terminal_width
from execsvc.clients import control_socket
from execsvc.clock import monotonic
from execsvc.errors import LedgerFailed, Unavailable
from execsvc.settings import Settings
from execsvc.store.opening import open_store

TIMEOUT = 5.0
"""Seconds the daemon has to answer."""
SLOW_CALL_TIMEOUT = 30.0
"""Seconds for a call that concerns every bot and waits for the disk."""
SOCKET_WAIT = 10.0
"""Seconds that a daemon has to make its control socket again, which it checks every 2 s."""
POLL_INTERVAL = 0.25
"""Seconds between two requests."""
LONGEST_SILENCE = 10.0
"""Seconds for which the daemon may not answer a command that waits: it may be restarting."""


class DaemonRefused(click.ClickException):
    """The daemon refused the request; ``message`` has the reason."""


def bot_names(runtime_dir: Path, timeout: float = TIMEOUT) -> dict[str, str]:
    """The name of each bot that the daemon knows, by id. Raises Unavailable without a daemon."""
    answer = control_socket.ask(runtime_dir, {"call": "status"}, timeout)
    return {bot["bot_id"]: bot["name"] or "" for bot in answer["bots"] if bot["bot_id"]}


def call_daemon(
    settings: Settings,
    request: dict[str, Any],
    timeout: float = TIMEOUT,
    socket_wait: float = SOCKET_WAIT,
) -> dict[str, Any]:
    """The daemon's answer, within ``timeout`` seconds.

    A daemon that runs and cannot be reached has ``socket_wait`` seconds more: its control socket may
    have been taken away, or not be made yet. Raises DaemonRefused when the daemon refuses,
    Unavailable without a daemon.
    """
    answer = _answer(settings, request, timeout, socket_wait)
    if "error" in answer:
        raise DaemonRefused(f"the daemon refuses: {answer['error']}")
    return answer


def notify_daemon(settings: Settings, call: str, bot_id: str) -> bool:
    """Pass an operator's decision on ``bot_id`` to the daemon; True when one was there."""
    try:
        _answer(settings, {"call": call, "bot_id": bot_id}, TIMEOUT, SOCKET_WAIT)
    except Unavailable:
        return False
    return True


def running_service(settings: Settings) -> str | None:
    """The daemon that has the state directory, in words; None when none has."""
    store = open_store(settings)
    try:
        if not store.is_taken():
            return None
        return f"a service runs on {store.place().name}, pid {store.taken_by() or 'unknown'}"
    except LedgerFailed:
        return None  # another user's, which this user cannot call either


def _answer(
    settings: Settings, request: dict[str, Any], timeout: float, socket_wait: float
) -> dict[str, Any]:
    until, is_announced = monotonic() + socket_wait, False
    while True:
        try:
            return control_socket.ask(settings.runtime_dir, request, timeout)
        except Unavailable as error:
            found = running_service(settings)
            if found is None or monotonic() >= until:
                raise
            if not is_announced:
                text = f"execsvc: {error}; {found}: waiting for its control socket"
                click.echo(plain_text(text), err=True)
                is_announced = True
        select.select((), (), (), POLL_INTERVAL)


def print_decision(as_json: bool, bot_id: str, done: str, told: bool) -> None:
    """Print the action ``done`` for a bot, and whether a daemon was ``told``."""
    if as_json:
        click.echo(json.dumps({"bot_id": bot_id, "done": done, "daemon_told": told}))
        return
    click.echo(done)
    click.echo(
        "the running daemon was told"
        if told
        else "no daemon answers here: the decision takes effect at the next start"
    )


def waiting_options(command: Any) -> Any:
    """Give ``command`` the options ``--timeout`` (seconds) and ``--no-wait``."""
    for option in (
        click.option("--no-wait", is_flag=True, help="Return at once; do not wait."),
        click.option(
            "--timeout",
            type=click.FloatRange(0),
            default=120.0,
            show_default=True,
            metavar="SEC",
            help="Longest wait; the daemon goes on after it.",
        ),
    ):
        command = option(command)
    return command


def wait_until_flat(
    runtime_dir: Path, what: str, timeout: float, bot_id: str | None = None
) -> dict[str, Any]:
    """The daemon's unfinished work, on ``bot_id`` or on all bots, once none of it goes on.

    Also returns when ``timeout`` seconds are over. On a terminal a line on stderr shows the
    progress; it begins with ``what``. Raises Unavailable when the daemon is gone for longer than a
    restart.
    """
    request = {"call": "unfinished", **({} if bot_id is None else {"bot_id": bot_id})}

    def progress(answer: dict[str, Any]) -> str | None:
        left = [bot for bot in answer["bots"] if bot["going_on"]]
        return _progress_text(left) if left else None

    return wait_while(runtime_dir, request, what, timeout, progress)


def wait_while(
    runtime_dir: Path,
    request: dict[str, Any],
    what: str,
    timeout: float,
    progress: Callable[[dict[str, Any]], str | None],
) -> dict[str, Any]:
    """The daemon's first answer to ``request`` for which ``progress`` returns None, else the last
    one.

    For the other answers it returns the progress, in words. As :func:`wait_until_flat` for the
    rest.
    """
    began = answered_at = monotonic()
    with _progress_line() as show, _explain_interrupt():
        while True:
            waited = monotonic() - began
            try:
                answer = control_socket.ask(runtime_dir, request, TIMEOUT)
            except Unavailable:
                if monotonic() - answered_at > LONGEST_SILENCE or waited >= timeout:
                    raise
                show(f"{what}: the daemon does not answer, {waited:.0f} s")
            else:
                answered_at = monotonic()
                text = progress(answer)
                if text is None or waited >= timeout:
                    return answer
                show(f"{what}: {text}, {waited:.0f} s")
            select.select((), (), (), POLL_INTERVAL)


def describe_open(bot: dict[str, Any]) -> str:
    """One line about a bot that has not ended flat."""
    name = f" ({bot['name']})" if bot["name"] else ""
    symbol = bot["symbol"] or "unknown symbol"
    tracked = bot["tracked"] or "unknown"
    return plain_text(
        f"NOT FLAT: bot {bot['bot_id']}{name}, {symbol}, tracked {tracked}, {bot['state']}: "
        f"{bot['why']}"
    )


def _progress_text(left: list[dict[str, Any]]) -> str:
    if len(left) == 1:
        return plain_text(f"{left[0]['bot_id']} is {left[0]['state']}, {left[0]['why']}")
    return f"{len(left)} bots have not ended yet"


@contextmanager
def _explain_interrupt() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo("execsvc: no longer waiting; the daemon goes on", err=True)
        raise


@contextmanager
def _progress_line() -> Iterator[Any]:
    """A function that writes one line over and over on a terminal; the line is removed at the end."""
    shown = sys.stderr.isatty()

    def show(text: str) -> None:
        if shown:
            click.echo(f"\r\x1b[K{cut(text, terminal_width() - 1)}", nl=False, err=True)

    try:
        yield show
    finally:
        if shown:
            click.echo("\r\x1b[K", nl=False, err=True)
