"""Strategies of third parties that end, fail or hang: their bots are closed, the others go on."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.plugins import Plugins

SHORT = {
    "EXECSVC_MAX_RESTARTS": "0",
    "EXECSVC_HANG_TIMEOUT": "8",
    "EXECSVC_STOP_TIMEOUT": "12",
}
NEIGHBOUR = "neighbour"

DEADLY: dict[str, tuple[str, str]] = {
    "exits": ("", "def execute(self, ctx):\n if self.enter(ctx): sys.exit(0)"),
    "leaves": ("", "def execute(self, ctx):\n if self.enter(ctx): os._exit(0)"),
    "segfaults": ("", "def execute(self, ctx):\n if self.enter(ctx): ctypes.string_at(0)"),
    "base_exception": (
        "class Odd(BaseException): pass",
        "def execute(self, ctx):\n if self.enter(ctx): raise Odd",
    ),
    "interrupts": ("", "def execute(self, ctx):\n if self.enter(ctx): raise KeyboardInterrupt"),
    "raises": ("", "def execute(self, ctx):\n if self.enter(ctx): raise ValueError('\\ud800')"),
    "evil_repr": (
        "class Evil(Exception):\n def __repr__(self): raise RuntimeError\n __str__ = __repr__",
        "def execute(self, ctx):\n if self.enter(ctx): raise Evil",
    ),
    "out_of_memory": (
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 28, 3 << 28))\nKEPT = []",
        "def execute(self, ctx):\n if self.enter(ctx):\n  while True: KEPT.append(bytearray(1 << 20))",
    ),
    "closes_everything": (
        "",
        "def execute(self, ctx):\n if self.enter(ctx): os.closerange(0, 70000)",
    ),
    "state_of_another_kind": (
        "",
        "def execute(self, ctx):\n if self.enter(ctx): ctx.state = object()",
    ),
    "state_that_lies": (
        "class Lying(BaseModel):\n def model_dump_json(self): return object()",
        "State = Lying",
    ),
    "state_that_does_not_load": (
        "class Lying(BaseModel):\n n: int = 0\n def model_dump_json(self): return '{\"n\": []}'",
        "State = Lying\ndef execute(self, ctx):\n if self.enter(ctx): os._exit(0)",
    ),
    "spins": ("", "def execute(self, ctx):\n while self.enter(ctx): pass"),
    "sleeps_in_c": ("", "def execute(self, ctx):\n if self.enter(ctx): ctypes.CDLL(None).pause()"),
    "holds_the_gil": (
        "",
        "def execute(self, ctx):\n if self.enter(ctx): ctypes.PyDLL(None).pause()",
    ),
    "import_raises": ("raise RuntimeError('no')", "pass"),
    "import_exits": ("sys.exit(0)", "pass"),
    "import_leaves": ("os._exit(0)", "pass"),
    "made_wrong": ("", "def __init__(self): raise RuntimeError('no')"),
    "stateless": ("class Wanting(BaseModel):\n n: int", "State = Wanting"),
    "flush_raises": (
        """
        class Out:
            def write(self, text): return len(text)
            def flush(self): raise RuntimeError("no")
        sys.stdout = sys.stderr = Out()
        """,
        """
        def execute(self, ctx):
            if self.enter(ctx):
                threading.Thread(target=time.sleep, args=(9999,)).start()
                sys.exit(0)
        """,
    ),
}
GROUPS = [sorted(DEADLY)[n::3] for n in range(3)]


def listed(plugins: Plugins, names: list[str], made: Mapping[str, tuple[str, str]]) -> list[object]:
    """A row for each strategy, all of one account, and one for a neighbour that only holds."""
    for name in names:
        before, body = made[name]
        plugins.add(name, body, before)
    return [bot_row(NEIGHBOUR), *[bot_row(name, strategy=name) for name in names]]


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0])
@pytest.mark.usefixtures("listing_only")
def test_a_strategy_that_ends_its_process_or_fails_is_closed(
    daemon: Daemon, exchange: Exchange, tmp_path: Path, names: list[str]
) -> None:
    plugins = Plugins(tmp_path)
    rows = listed(plugins, names, DEADLY)
    exchange.fund(usdt="1000000")
    exchange.list_bots(rows[0])
    daemon.start(**SHORT, **plugins.environ)
    before = daemon.until_holding(NEIGHBOUR)
    exchange.list_bots(*rows)
    for name in names:
        failed = daemon.until("FAILED", name, 90)
        assert failed["position"]["side"] is None, failed
        assert failed["last_error"], failed
    after = daemon.bot(NEIGHBOUR)
    assert (after["pid"], after["position"]) == (before["pid"], before["position"])
    eventually(lambda: daemon.bot(NEIGHBOUR)["ticks"] > after["ticks"], "the neighbour ticks on")
    code, health = daemon.health()
    assert (code, health["status"]) == (200, "degraded")
    assert all(any(name in reason for reason in health["reasons"]) for name in names)
    assert exchange.bots_base() == Decimal(after["position"]["tracked"])
    assert daemon.stop() == 0
    assert exchange.bots_base() < Decimal("0.00001")
    assert exchange.lowest() >= OWN_BTC
    eventually(lambda: not daemon.family(), "no process of it lives")
