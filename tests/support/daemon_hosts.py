"""Daemons that share a store, a BotService and an exchange, and what holds for all of them together."""

from __future__ import annotations

from pathlib import Path

import requests
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange

from execsvc.sandbox.server import Sandbox


class Hosts:
    """Two daemons with one store, one BotService and one exchange."""

    def __init__(self, sandbox: Sandbox, folder: Path, store_url: str) -> None:
        self.all = {}
        for name in ("a", "b"):
            place = folder / name
            place.mkdir()
            self.all[name] = Daemon(sandbox.url, place)
            self.all[name].environ |= {"EXECSVC_STORE_URL": store_url, "EXECSVC_HOST_ID": name}

    def start(self) -> None:
        """Start both, side by side."""
        for one in self.all.values():
            one.start(wait=False)
        for one in self.all.values():
            eventually(one._answers, "the daemon answers")

    def runners(self, bot_id: str) -> list[str]:
        """The hosts on which the bot has a process that ticks."""
        return [name for name, one in self.all.items() if one.bot(bot_id).get("state") == "RUNNING"]

    def holding(self, bot_id: str = "b1") -> str:
        """The one host that holds the position of the bot, once it does."""
        return eventually(
            lambda: next((name for name, one in self.all.items() if one._holding(bot_id)), ""),
            f"a host holds the position of {bot_id}",
        )

    def other(self, name: str) -> Daemon:
        """The other host."""
        return self.all["b" if name == "a" else "a"]


def until_shown_elsewhere(daemon: Daemon, bot_id: str, why: str) -> None:
    """Wait until the host shows the bot as at rest, for the reason ``why``."""

    def shown() -> bool:
        try:
            bot = daemon.bot(bot_id)
        except requests.RequestException:  # a control plane that stood still is replaced
            return False
        return (bot["state"], bot["pid"], bot["last_error"]) == ("BACKOFF", None, why)

    eventually(shown, f"bot {bot_id} is shown as elsewhere")


def position_is_once(exchange: Exchange, key: str = "k1") -> bool:
    """True when one buy was executed, and what it bought is there."""
    (bought,) = exchange.executed(key)
    return bought["side"] == "buy" and exchange.bots_base(key) > 0
