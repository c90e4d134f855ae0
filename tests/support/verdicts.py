"""Conditions that many tests of the daemon check: books, processes, listings that have passed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.processes import Process

CRUMB = Decimal("0.00001")
"""Less than this of a coin cannot be sold."""
LISTING = "execsvc: listing"
CONTROL_PLANE = "execsvc: control plane"


def rows(count: int, **changes: Any) -> list[dict[str, Any]]:
    """So many bots, b0 and on; unless ``changes`` say otherwise each buys for 1 % and holds."""
    params = {"allocation_ratio": "0.01", **changes.pop("params", {})}
    return [bot_row(f"b{n}", params=params, **changes) for n in range(count)]


def states(daemon: Daemon) -> dict[str, str]:
    """The state of each bot."""
    return {bot["bot_id"]: bot["state"] for bot in daemon.status()["bots"]}


def pids(daemon: Daemon) -> dict[str, int | None]:
    """The process of each bot."""
    return {bot["bot_id"]: bot["pid"] for bot in daemon.status()["bots"]}


def all_hold(daemon: Daemon, count: int, within: float = 60.0) -> dict[str, int | None]:
    """Wait until so many bots run and hold a position; their pids."""

    def holding() -> bool:
        bots = daemon.status()["bots"]
        good = [b for b in bots if b["state"] == "RUNNING" and b["position"]["side"] == "BUY"]
        return len(good) == count

    eventually(holding, f"{count} bots hold", within)
    return pids(daemon)


def listed_again(exchange: Exchange, times: int = 3) -> None:
    """Wait until BotService was asked so many times more for its RUNNING bots."""
    newest = max((request["at"] for request in exchange.listings(1)), default="")

    def asked() -> int:
        since = [each for each in exchange.listings(4 * times + 8) if each["at"] > newest]
        return sum(each["query"].get("status") == "RUNNING" for each in since)

    eventually(lambda: asked() >= times, f"{times} listings")


def succeeds(daemon: Daemon, before: int | None, bot_id: str = "b1") -> dict[str, Any]:
    """Wait until another process than ``before`` runs the bot and has ticked."""

    def look() -> dict[str, Any]:
        bot = daemon.bot(bot_id)
        good = bot.get("state") == "RUNNING" and bot["pid"] not in (None, before) and bot["ticks"]
        return bot if good else {}

    return eventually(look, f"another process runs {bot_id}")


def titled(daemon: Daemon, title: str) -> list[Process]:
    """The living processes of the daemon whose title begins so, the oldest first."""
    return [process for process in daemon.family() if process.title.startswith(title)]


def assert_flat(exchange: Exchange, key: str = "k1", crumbs: int = 1) -> None:
    """Nothing of the bots is in the account but what ``crumbs`` of them cannot sell."""
    assert 0 <= exchange.bots_base(key) < CRUMB * crumbs
    assert exchange.lowest(key) >= OWN_BTC
    assert not [order for order in exchange.orders(key) if order["resends"]]


def assert_over(daemon: Daemon, exchange: Exchange, key: str = "k1", crumbs: int = 1) -> None:
    """The account is flat, and the service has left no process and no socket behind."""
    assert_flat(exchange, key, crumbs)
    eventually(lambda: not daemon.family(), "no process of it lives")
    assert not list((daemon.folder / "run").iterdir())
