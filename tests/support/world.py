"""Bots, faults and deaths to choose from at random, and what must hold whatever is chosen."""

from __future__ import annotations

import signal
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from support import processes
from support.bot_process import bot_row
from support.bot_service_wire import FILLED, all_ended, orders_told
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.line import Line
from support.service_clock import ServiceClock
from support.store_files import tracked_on
from support.stores import store_in
from support.verdicts import listed_again

from execsvc.sandbox.dialects import Dialect
from execsvc.sandbox.server import Sandbox

BOTS = ("b1", "b2", "b3", "b4")
KEYS = ("k1", "k2")
RECEIVE_WINDOW = 1.5
"""Seconds after its arrival within which the exchange executes an order, or refuses it."""
CRUMB = Decimal("0.00001")
"""Less than this of a coin cannot be sold."""
LEAST = Decimal("0.0001")
"""Less than this is worth less than the exchange's smallest order, 5 USDT."""

ORDER_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500, "execute": True},
    {"kind": "status", "status": 500, "execute": False},
    {"kind": "status", "status": 500, "execute": True, "lag": 0.7},
    {"kind": "status", "status": 500, "execute": True, "fraction": "0.5"},
    {"kind": "refuse"},
    {"kind": "refuse", "detail": "binance RateLimit InvalidOrder"},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "reset", "execute": True},
    {"kind": "reset", "execute": False},
    {"kind": "hang", "execute": True, "seconds": 3},
    {"kind": "hang", "execute": False, "seconds": 3},
    {"kind": "garbage"},
    {"kind": "no_details"},
    {"kind": "null_filled"},
    {"kind": "no_fee"},
    {"kind": "patch", "body": {"details": {"average": None, "cost": None}}},
    {"kind": "patch", "body": {"details": {"fee": None, "fees": [{"currency": "BTC", "cost": 0}]}}},
    {"kind": "patch", "body": {"details": {"fees": [{"currency": "XBT", "cost": 0.00001}]}}},
    {"kind": "patch", "body": {"details": {"filled": 0, "average": None, "cost": 0}}},
    {"kind": "partial", "fraction": "0.6", "order_status": "closed"},
    {"kind": "partial", "fraction": "0.3"},
    {"kind": "open", "fraction": "0.4"},
    {"kind": "lag", "seconds": 0.8},
    {"kind": "late", "seconds": 0.6, "status": 500},
    {"kind": "patch", "body": {"details": {"average": None, "cost": None}}},
    {"kind": "patch", "body": {"details": {"average": None}}},
    {"kind": "patch", "body": {"details": {"average": 0.1, "cost": None}}},
)
MARKETS: tuple[dict[str, Any], ...] = (
    {},
    {"max_amount": "0.015"},
    {"max_amount": "0.005"},
    {"max_notional": "400"},
    {"max_amount": "0.01", "publish_limits": False},
    {"publish_limits": False},
)
"""The orders that a market takes, and whether it publishes that; the usual one is without a maximum."""
USUAL: dict[str, Any] = {"max_amount": None, "max_notional": None, "publish_limits": True}
ODD_ROWS: tuple[list[dict[str, Any]], ...] = (
    [],
    [{"asset": "USDC", "free": -3.2e-7, "locked": 0}],
    [{"asset": "ETHW", "free": None, "locked": None}, {"asset": "LUNC", "free": 4.2e15}],
    [{"asset": "BTC", "free": 0, "locked": 0}, {"asset": 7, "free": "x"}, "row", None],
)
"""The rows of a balance beside the account's own: none of them is about BTC or USDT."""
CLOCK_STEPS = (3600, -3600, 90, -5, 0)
"""By how many seconds the wall clock of the service is ahead."""
READ_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "reset"},
    {"kind": "garbage"},
    {"kind": "hang", "seconds": 3},
    {"kind": "body", "body": {}},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
)
REPORT_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 400, "execute": True},
    {"kind": "close", "execute": True},
    {"kind": "garbage"},
    {"kind": "hang", "seconds": 3},
)
REPORT_CALLS = ("report_order", "report_status", "report_execution")
LISTING_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "body", "body": {}},
    {"kind": "body", "body": "[{"},
    {"kind": "reset"},
    {"kind": "hang", "seconds": 3},
)


class World:
    """A sandbox, a daemon and what a fate does to them.

    ``line``: the adapter is reached over a line that can be cut. ``clock``: the wall clock of the
    service can be moved.
    """

    def __init__(self, folder: Path, line: bool = False, clock: bool = False) -> None:
        self.sandbox = Sandbox()
        self.sandbox.start()
        self.exchange = Exchange(self.sandbox.url)
        self.exchange.market(price="50000")
        for key in KEYS:
            self.exchange.fund(key, usdt="100000")
        self.daemon = Daemon(self.sandbox.url, folder)
        # An adapter is assumed to execute an order within the window or not at all. The fault that
        # delays an order on purpose takes 0.6 s of it, and balances lag by 0.8 s at most.
        self.daemon.environ["EXECSVC_SETTLEMENT_WINDOW"] = "2"
        self.exchange.adapter(receive_window=RECEIVE_WINDOW)
        self.line = Line(int(self.sandbox.url.rsplit(":", 1)[1])) if line else None
        if self.line is not None:
            self.daemon.environ["EXECSVC_EXCHANGE_ADAPTER_URL"] = self.line.url
        self.clock = ServiceClock(folder) if clock else None
        if self.clock is not None:
            self.daemon.environ |= self.clock.environ
        self.daemon.environ["EXECSVC_REPORT_LEDGER"] = "true"
        self.daemon.start()
        self.rows: dict[str, dict[str, Any]] = {}
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []

    def list_bot(self, bot_id: str, key: str, hold: float) -> None:
        """Let a bot run, or run otherwise."""
        params = {"loop_count": 0, "hold_duration": hold, "allocation_ratio": "0.02"}
        self.rows[bot_id] = bot_row(bot_id, key=key, params=params)
        self._relist("listed")

    def drop_bot(self, bot_id: str) -> None:
        """Stop a bot."""
        self.rows.pop(bot_id, None)
        self._relist("dropped")

    def order_fault(self, rule: dict[str, Any], side: str | None) -> None:
        """The next order fails in some way."""
        match = {} if side is None else {"side": side}
        self.exchange.fault(call="order", match=match, **rule)
        self.counts[f"order {rule['kind']}"] += 1

    def read_fault(self, rule: dict[str, Any], call: str, times: int) -> None:
        """Some reads fail."""
        self.exchange.fault(call=call, times=times, **rule)
        self.counts[f"{call} {rule['kind']}"] += 1

    def listing_fault(self, rule: dict[str, Any], times: int) -> None:
        """Some listings fail."""
        self.exchange.fault(call="bots", times=times, **rule)
        self.counts[f"bots {rule['kind']}"] += 1

    def report_fault(self, rule: dict[str, Any], call: str, times: int) -> None:
        """Some reports fail."""
        self.exchange.fault(call=call, times=times, **rule)
        self.counts[f"{call} {rule['kind']}"] += 1

    def market(self, terms: dict[str, Any], words: Dialect) -> None:
        """The market takes other orders, and refuses in other words."""
        self.exchange.market(**{**USUAL, **terms, "words": words.value})
        self.counts["market changes"] += 1

    def odd_rows(self, rows: list[Any]) -> None:
        """Balances list odd rows."""
        self.exchange.adapter(receive_window=RECEIVE_WINDOW, odd_rows=rows)
        self.counts["odd rows"] += 1

    def cut_line(self, seconds: float) -> None:
        """Nothing gets to the adapter or back for so long; what was sent arrives afterwards."""
        assert self.line is not None, "this world has no line"
        self.line.cut()
        until = time.monotonic() + seconds
        eventually(lambda: time.monotonic() > until, "the line is cut")
        self.line.heal()
        self.counts["line cuts"] += 1

    def move_clock(self, seconds: int) -> None:
        """The wall clock of the service makes a step."""
        assert self.clock is not None, "this world has the machine's clock"
        self.clock.set_by(seconds)
        self.counts["clock steps"] += 1

    def kill_runner(self, which: int) -> None:
        """Kill -9 of some bot's process."""
        pids = [bot["pid"] for bot in self.daemon.status()["bots"] if bot["pid"]]
        if pids:
            self._kill(pids[which % len(pids)], "runner killed")

    def kill_any(self, which: int) -> None:
        """Kill -9 of any child: listing, control plane, its worker, a runner."""
        children = [child for child in self.daemon.family() if child.pid != self.daemon.pid]
        if children:
            self._kill(children[which % len(children)].pid, "child killed")

    def restart(self, how: str) -> None:
        """End the service one way or another, and start it again."""
        number = {"kill": signal.SIGKILL, "stop": signal.SIGTERM, "hold": signal.SIGUSR2}[how]
        self.daemon.signal(number)
        self.daemon.wait(90)
        self.counts[f"service {how}"] += 1
        self.daemon.start()

    def tick(self) -> None:
        """Let the daemon get somewhere: until it has listed twice more."""
        listed_again(self.exchange)

    def check(self) -> None:
        """Check the rules that are true at every moment, by the exchange's books."""
        for key in KEYS:
            account = self.exchange.account(key)
            lowest = Decimal(account["assets"].get("BTC", {}).get("lowest", OWN_BTC))
            assert lowest >= OWN_BTC, f"{key}: the user's own coins were sold, down to {lowest}"
            for order in account["orders"]:
                assert not order["resends"], f"{key}: {order['client_order_id']} was sent twice"
        status = eventually(self._status, "HTTP is answered, also after its process was killed")
        pids = [bot["pid"] for bot in status["bots"] if bot["pid"]]
        assert len(pids) == len(set(pids))

    def settle(self) -> None:
        """Heal everything and stop every bot: all flat, and the books agree to the last digit."""
        self.exchange.heal()
        self.exchange.market(**USUAL)
        self.rows.clear()
        self._relist("dropped")
        eventually(self._all_flat, "every bot is flat", 120)
        self.check()
        for key in KEYS:
            left = self._tracked(key)
            assert left == self.exchange.bots_base(key), f"{key}: {left} tracked"
            assert left < self._dust * len(BOTS), f"{key}: {left} left"
        eventually(self._all_told, "BotService knows of all orders how they ended", 120)

    def close(self) -> None:
        """Stop the service; it ends with nothing left, and leaves no process."""
        try:
            assert self.daemon.stop(90) == 0, self.daemon.log[-3000:]
            eventually(lambda: not self.daemon.family(), "no process of it lives")
        finally:
            self.daemon.close()
            if self.line is not None:
                self.line.close()
            self.sandbox.stop()

    def _status(self) -> dict[str, Any]:
        """``/status``; empty while there is no answer."""
        try:
            return self.daemon.status()
        except requests.ConnectionError:
            return {}

    @property
    def _dust(self) -> Decimal:
        """Less than this is left of a bot: the step, or the minimum where that was not published.

        A part that is sold under a maximum may leave a rest below a minimum that is not known.
        """
        return LEAST if self.counts["market changes"] else CRUMB

    def _all_told(self) -> bool:
        executed = {o["client_order_id"] for key in KEYS for o in self.exchange.executed(key)}
        told = self.exchange.told()
        return all_ended(told) and orders_told(told, FILLED) == executed

    def _all_flat(self) -> bool:
        bots = self.daemon.status()["bots"]
        resting = all(bot["pid"] is None and bot["state"] in ("STOPPED", "HELD") for bot in bots)
        states, unreadable = store_in(self.daemon.state_dir).survey()
        return resting and not unreadable and not any(state.is_open for state in states)

    def _tracked(self, key: str) -> Decimal:
        """The sum that all ledgers track on one account, also of what their bots ran under before."""
        return tracked_on(self.daemon.state_dir, key)

    def _relist(self, what: str) -> None:
        self.exchange.list_bots(*self.rows.values())
        self.counts[what] += 1

    def _kill(self, pid: int, what: str) -> None:
        self.counts[what] += processes.kill(pid)
