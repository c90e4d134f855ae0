"""One daemon for several tests that leave it as they found it: a start takes longer than most of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from support.daemon import Daemon
from support.exchange import Exchange

from execsvc.sandbox.server import Sandbox


class Lasting(NamedTuple):
    """A daemon that is not started yet, and the sandbox's exchange as a user sees it."""

    daemon: Daemon
    exchange: Exchange


def lasting_daemon(folder: Path) -> Iterator[Lasting]:
    """For a fixture of a module; nothing of the daemon outlives the module."""
    sandbox = Sandbox()
    sandbox.start()
    daemon = Daemon(sandbox.url, folder)
    exchange = Exchange(sandbox.url)
    exchange.fund()
    exchange.market(price="50000")
    try:
        yield Lasting(daemon, exchange)
    finally:
        daemon.close()
        sandbox.stop()
