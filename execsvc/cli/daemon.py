"""What the operator's commands say to the daemon of this machine, when one runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from execsvc.clients import control_socket
from execsvc.errors import Unavailable

TIMEOUT = 5.0
"""Seconds the daemon has to answer."""
PATIENCE = 30.0
"""Seconds for what concerns every bot and waits for the disk."""


class DaemonRefused(click.ClickException):
    """The daemon answered that it does not do this; ``message`` says why."""


def bot_names(runtime_dir: Path, timeout: float = TIMEOUT) -> dict[str, str]:
    """The name of each bot that the daemon knows, by id. Raises Unavailable without a daemon."""
    answer = control_socket.ask(runtime_dir, {"call": "status"}, timeout)
    return {bot["bot_id"]: bot["name"] or "" for bot in answer["bots"] if bot["bot_id"]}


def ask(runtime_dir: Path, request: dict[str, Any], timeout: float = TIMEOUT) -> dict[str, Any]:
    """The daemon's answer. Raises DaemonRefused when it says no, Unavailable without a daemon."""
    answer = control_socket.ask(runtime_dir, request, timeout)
    if "error" in answer:
        raise DaemonRefused(f"the daemon refuses: {answer['error']}")
    return answer


def tell(runtime_dir: Path, call: str, bot_id: str) -> bool:
    """Pass an operator's word on ``bot_id`` to the daemon; whether one was there."""
    try:
        control_socket.ask(runtime_dir, {"call": call, "bot_id": bot_id}, TIMEOUT)
    except Unavailable:
        return False
    return True


def say(as_json: bool, bot_id: str, done: str, told: bool) -> None:
    """Print what was ``done`` for a bot, and whether a daemon was ``told``."""
    if as_json:
        click.echo(json.dumps({"bot_id": bot_id, "done": done, "daemon_told": told}))
        return
    click.echo(done)
    click.echo(
        "the running daemon was told"
        if told
        else "no daemon answers here: it takes effect at the next start"
    )
