"""Strategies of third parties that will not stop, or leave processes: all end flat, nothing lives on."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from pathlib import Path

import pytest
from support import processes
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.plugins import Plugins
from support.processes import Process

STRAY = f"9{os.getpid():08d}"
"""Seconds that a stray sleeps; other tests at the same time have other ones."""
NEIGHBOUR = "neighbour"
SHORT = {"EXECSVC_STOP_TIMEOUT": "12", "EXECSVC_HANG_TIMEOUT": "20"}

STUBBORN: dict[str, tuple[str, str]] = {
    "ignores_term": ("", "def on_start(self, ctx): signal.signal(signal.SIGTERM, signal.SIG_IGN)"),
    "blocks_term": (
        "",
        "def on_start(self, ctx): signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
    ),
    "lost_wakeup": ("", "def on_start(self, ctx): signal.set_wakeup_fd(-1)"),
    "on_stop_hangs": ("", "def on_stop(self, ctx):\n while True: pass"),
    "on_stop_sleeps_in_c": ("", "def on_stop(self, ctx): ctypes.PyDLL(None).pause()"),
    "on_stop_raises": ("", "def on_stop(self, ctx): raise ValueError('no')"),
    "on_stop_exits": ("", "def on_stop(self, ctx): sys.exit(0)"),
    "on_stop_leaves": ("", "def on_stop(self, ctx): os._exit(0)"),
    "on_stop_buys": ("", "def on_stop(self, ctx): ctx.buy(Decimal('0.05'), 'more')"),
    "on_stop_sells_half": ("", "def on_stop(self, ctx): ctx.sell(Decimal('0.005'), 'half')"),
    "catches_everything": (
        "",
        """
        def execute(self, ctx):
            while True:
                try:
                    if not self.enter(ctx):
                        continue
                    ctx._balance = None
                    ctx.begin_tick(ctx.now)
                    ctx.ticker()
                except BaseException:
                    try: ctx.buy(Decimal("0.05"), "more")
                    except BaseException: pass
        """,
    ),
    "threads": (
        "def spin():\n while True: time.sleep(0.01)",
        """
        def on_start(self, ctx):
            for n in range(20):
                threading.Thread(target=spin, daemon=bool(n % 2)).start()
        """,
    ),
    "replaces_streams": (
        "sys.stdout = sys.stderr = None\nsys.excepthook = lambda *_: os._exit(0)",
        "def on_start(self, ctx): os.chdir('/'); os.umask(0o777)",
    ),
}
STOPS = [sorted(STUBBORN)[n::2] for n in range(2)]

LEAVING: dict[str, tuple[str, str]] = {
    "children": (
        "",
        f"def on_start(self, ctx): subprocess.Popen(['sleep', '{STRAY}'], stdin=subprocess.DEVNULL)",
    ),
    "sessions": (
        "",
        f"def on_start(self, ctx): subprocess.Popen(['setsid', 'sleep', '{STRAY}'])",
    ),
    "daemons": (
        "",
        f"""
        def on_start(self, ctx):
            subprocess.run("trap '' TERM HUP; setsid sleep {STRAY} & sleep 0", shell=True)
        """,
    ),
    "forks": (
        "",
        "def execute(self, ctx):\n for _ in range(3): os.fork()\n self.enter(ctx)",
    ),
    "floods_stdout": (
        "",
        """
        def execute(self, ctx):
            self.enter(ctx)
            for _ in range(20):
                print("x" * (1 << 20))
                os.write(1, b"y" * (1 << 20))
        """,
    ),
}


def start(
    daemon: Daemon, exchange: Exchange, plugins: Plugins, made: dict[str, tuple[str, str]]
) -> None:
    """A daemon with a neighbour and a bot of each strategy, all holding."""
    for name, (before, body) in made.items():
        plugins.add(name, body, before)
    exchange.fund(usdt="1000000")
    exchange.list_bots(bot_row(NEIGHBOUR), *[bot_row(name, strategy=name) for name in made])
    daemon.start(**SHORT, **plugins.environ)
    for name in (NEIGHBOUR, *made):
        eventually(lambda name=name: exchange_holds(daemon, name), f"{name} holds", 60)


def exchange_holds(daemon: Daemon, name: str) -> bool:
    """True once the bot has a position, whatever state it is in."""
    bot = daemon.bot(name)
    return bool(bot) and bot["position"]["side"] == "BUY"


def stray_processes() -> list[Process]:
    """Processes that a strategy of these tests left, anywhere on the machine."""
    return processes.with_argument(STRAY)


@pytest.mark.parametrize("names", STOPS, ids=lambda names: names[0])
def test_a_strategy_that_does_not_stop_is_stopped_flat(
    daemon: Daemon, exchange: Exchange, tmp_path: Path, names: list[str]
) -> None:
    start(daemon, exchange, Plugins(tmp_path), {name: STUBBORN[name] for name in names})
    before = daemon.bot(NEIGHBOUR)
    bought = len(exchange.orders(side="buy"))
    exchange.list_bots(bot_row(NEIGHBOUR))
    for name in names:
        stopped = daemon.until("STOPPED", name, 90)
        assert stopped["position"]["side"] is None
    after = daemon.bot(NEIGHBOUR)
    assert (after["pid"], after["position"]) == (before["pid"], before["position"])
    assert after["ticks"] > before["ticks"]
    assert len(exchange.orders(side="buy")) == bought, "an entry went out during a stop"
    assert exchange.bots_base() == Decimal(after["position"]["tracked"])
    assert daemon.stop() == 0
    assert exchange.lowest() >= OWN_BTC
    eventually(lambda: not daemon.family(), "no process of it lives")


def test_the_service_stops_flat_whatever_its_strategies_do(
    daemon: Daemon, exchange: Exchange, tmp_path: Path
) -> None:
    made = {n: STUBBORN[n] for n in ("ignores_term", "on_stop_hangs", "catches_everything")}
    start(daemon, exchange, Plugins(tmp_path), made)
    assert daemon.stop(90) == 0
    assert 0 <= exchange.bots_base() < Decimal("0.00001")
    assert exchange.lowest() >= OWN_BTC
    eventually(lambda: not daemon.family(), "no process of it lives")


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_what_a_strategy_leaves_behind_is_killed(
    daemon: Daemon, exchange: Exchange, tmp_path: Path, how: str
) -> None:
    start(daemon, exchange, Plugins(tmp_path), LEAVING)
    pids = {name: daemon.bot(name)["pid"] for name in LEAVING}
    assert stray_processes()
    if how == "stopped":
        exchange.list_bots(bot_row(NEIGHBOUR))
        for name in LEAVING:
            daemon.until("STOPPED", name, 60)
        eventually(lambda: not stray_processes(), "no process of a strategy lives")
        assert daemon.bot(NEIGHBOUR)["state"] == "RUNNING"
    else:
        os.kill(pids["sessions"], signal.SIGKILL)
        eventually(
            lambda: daemon.bot("sessions").get("pid") not in (None, pids["sessions"]), "a successor"
        )
    assert daemon.stop() == 0
    assert 0 <= exchange.bots_base() < Decimal("0.00001")
    assert len(exchange.executed(side="buy")) == len(LEAVING) + 1
    eventually(lambda: not daemon.family() and not stray_processes(), "no process lives")
