"""States of bots that tests of a halt wait for."""

from __future__ import annotations

from typing import Any

from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.scripted_service import Scripted

TEXT = "trading is halted: by an operator"


def halted(service: Scripted) -> Any:
    return service.status()["halted"]


def all_flat(service: Scripted) -> None:
    eventually(lambda: service.ask("unfinished")["bots"] == [], "every bot has ended flat")
    assert all(bot["position"]["side"] is None for bot in service.status()["bots"])


def again(service: Scripted, **environ: str) -> None:
    """Start it, and wait until a listing was taken."""
    service.start(**environ)
    eventually(lambda: service.status()["poll"]["last_success_at"])


def holding(service: Scripted, bots: Exchange, count: int, **environ: str) -> list[int]:
    """Start with so many bots, all of them with a position; their pids."""
    names = [f"b{n}" for n in range(1, count + 1)]
    for name in names:
        service.direct(name, opens=True)
    bots.list_bots(*[bot_row(name) for name in names])
    service.start(**environ)
    return [service.until("RUNNING", name)["pid"] for name in names]
