"""The calls of the operator's commands to the daemon of this machine, when one runs."""

from __future__ import annotations

import json
import select
from pathlib import Path
from typing import Any

import click

from execsvc.cli.table import plain_text
from execsvc.clients import control_socket
from execsvc.clock import monotonic
from execsvc.errors import LedgerFailed, Unavailable
from execsvc.settings import Settings
from execsvc.store.opening import open_store

TIMEOUT = 5.0
"""Seconds the daemon has to answer."""
PATIENCE = 30.0
"""Seconds for a call that concerns every bot and waits for the disk."""


NOTICE = 10.0
"""Seconds that a daemon has to make its control socket again, which it checks every 2 s."""
_LOOK_EVERY = 0.25


class DaemonRefused(click.ClickException):
    """The daemon refused the request; ``message`` has the reason."""


def bot_names(runtime_dir: Path, timeout: float = TIMEOUT) -> dict[str, str]:
    """The name of each bot that the daemon knows, by id. Raises Unavailable without a daemon."""
    answer = control_socket.ask(runtime_dir, {"call": "status"}, timeout)
    return {bot["bot_id"]: bot["name"] or "" for bot in answer["bots"] if bot["bot_id"]}


def ask(
    places: Settings, request: dict[str, Any], timeout: float = TIMEOUT, notice: float = NOTICE
) -> dict[str, Any]:
    """The daemon's answer, within ``timeout`` seconds.

    A daemon that runs and cannot be reached has ``notice`` seconds more: its control socket may
    have been taken away, or not be made yet. Raises DaemonRefused when the daemon refuses,
    Unavailable without a daemon.
    """
    answer = _heard(places, request, timeout, notice)
    if "error" in answer:
        raise DaemonRefused(f"the daemon refuses: {answer['error']}")
    return answer


def tell(places: Settings, call: str, bot_id: str) -> bool:
    """Pass an operator's decision on ``bot_id`` to the daemon; True when one was there."""
    try:
        _heard(places, {"call": call, "bot_id": bot_id}, TIMEOUT, NOTICE)
    except Unavailable:
        return False
    return True


def running(places: Settings) -> str | None:
    """The daemon that has the state directory, in words; None when none has."""
    store = open_store(places)
    try:
        if not store.is_taken():
            return None
        return f"a service runs on {store.place().name}, pid {store.taken_by() or 'unknown'}"
    except LedgerFailed:
        return None  # another user's, which this user cannot call either


def _heard(
    places: Settings, request: dict[str, Any], timeout: float, notice: float
) -> dict[str, Any]:
    until, said = monotonic() + notice, False
    while True:
        try:
            return control_socket.ask(places.runtime_dir, request, timeout)
        except Unavailable as error:
            found = running(places)
            if found is None or monotonic() >= until:
                raise
            if not said:
                text = f"execsvc: {error}; {found}: waiting for its control socket"
                click.echo(plain_text(text), err=True)
                said = True
        select.select((), (), (), _LOOK_EVERY)


def say(as_json: bool, bot_id: str, done: str, told: bool) -> None:
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
