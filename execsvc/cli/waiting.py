"""Waits of a command until the bots that it stopped have ended flat."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from execsvc.cli.daemon import TIMEOUT
from execsvc.cli.table import cut, plain_text, terminal_width
from execsvc.clients import control_socket
from execsvc.clock import monotonic
from execsvc.errors import Unavailable

LOOK_EVERY = 0.25
"""Seconds between two requests."""
SILENCE = 10.0
"""Seconds for which the daemon may not answer meanwhile: it may be restarting."""


def takes_waiting(command: Any) -> Any:
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

    def going_on(answer: dict[str, Any]) -> str | None:
        left = [bot for bot in answer["bots"] if bot["going_on"]]
        return _how_far(left) if left else None

    return wait_while(runtime_dir, request, what, timeout, going_on)


def wait_while(
    runtime_dir: Path,
    request: dict[str, Any],
    what: str,
    timeout: float,
    going_on: Callable[[dict[str, Any]], str | None],
) -> dict[str, Any]:
    """The daemon's first answer to ``request`` for which ``going_on`` returns None, else the last
    one.

    For the other answers it returns the progress, in words. As :func:`wait_until_flat` for the
    rest.
    """
    began = heard = monotonic()
    with _progress() as say, _saying_who_goes_on():
        while True:
            waited = monotonic() - began
            try:
                answer = control_socket.ask(runtime_dir, request, TIMEOUT)
            except Unavailable:
                if monotonic() - heard > SILENCE or waited >= timeout:
                    raise
                say(f"{what}: the daemon does not answer, {waited:.0f} s")
            else:
                heard = monotonic()
                how_far = going_on(answer)
                if how_far is None or waited >= timeout:
                    return answer
                say(f"{what}: {how_far}, {waited:.0f} s")
            select.select((), (), (), LOOK_EVERY)


def described(bot: dict[str, Any]) -> str:
    """One line about a bot that has not ended flat."""
    name = f" ({bot['name']})" if bot["name"] else ""
    symbol = bot["symbol"] or "unknown symbol"
    tracked = bot["tracked"] or "unknown"
    return plain_text(
        f"NOT FLAT: bot {bot['bot_id']}{name}, {symbol}, tracked {tracked}, {bot['state']}: "
        f"{bot['why']}"
    )


def _how_far(left: list[dict[str, Any]]) -> str:
    if len(left) == 1:
        return plain_text(f"{left[0]['bot_id']} is {left[0]['state']}, {left[0]['why']}")
    return f"{len(left)} bots have not ended yet"


@contextmanager
def _saying_who_goes_on() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo("execsvc: no longer waiting; the daemon goes on", err=True)
        raise


@contextmanager
def _progress() -> Iterator[Any]:
    """A function that writes one line over and over on a terminal; the line is removed at the end."""
    shown = sys.stderr.isatty()

    def say(text: str) -> None:
        if shown:
            click.echo(f"\r\x1b[K{cut(text, terminal_width() - 1)}", nl=False, err=True)

    try:
        yield say
    finally:
        if shown:
            click.echo("\r\x1b[K", nl=False, err=True)
