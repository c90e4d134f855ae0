"""What the operator's commands say to the daemon of this machine, when one runs."""

from __future__ import annotations

from pathlib import Path

import click

from execsvc.clients import control_socket
from execsvc.errors import Unavailable

TIMEOUT = 5.0
"""Seconds the daemon has to answer."""


def bot_names(runtime_dir: Path) -> dict[str, str]:
    """The name of each bot that the daemon knows, by id. Raises Unavailable without a daemon."""
    answer = control_socket.ask(runtime_dir, {"call": "status"}, TIMEOUT)
    return {bot["bot_id"]: bot["name"] or "" for bot in answer["bots"] if bot["bot_id"]}


def tell(runtime_dir: Path, call: str, bot_id: str) -> bool:
    """Pass an operator's word on ``bot_id`` to the daemon, and print whether one was there."""
    try:
        control_socket.ask(runtime_dir, {"call": call, "bot_id": bot_id}, TIMEOUT)
    except Unavailable:
        click.echo("no daemon answers here: it takes effect at the next start")
        return False
    click.echo("the running daemon was told")
    return True
