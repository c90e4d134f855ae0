"""The picture of the page in the README: ``python -m support.page_picture FILE``.

The real program on a sandbox, with bots in different states, in a real browser.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from support.bot_process import bot_row
from support.browser import browser
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange

from execsvc.sandbox.server import Sandbox

WIDTH, HEIGHT = 1120, 960
NAMES = {
    "4d1f0c52": "BTC dips",
    "86565374": "BTC slow",
    "9a7be0d3": "ETH fade",
    "b02c77e1": "ETH night",
    "c9e4410f": "BTC paper",
    "e35a9d68": "BTC experiment",
}


def bots() -> list[dict[str, Any]]:
    """Bots that come to be in different states."""
    changes: list[dict[str, Any]] = [
        {"params": {"allocation_ratio": "0.1"}},
        {"key": "k2", "params": {"allocation_ratio": "0.02"}},
        {"symbol": "ETH/USDT", "params": {"allocation_ratio": "0.1"}},
        {"symbol": "ETH/USDT", "key": "k2", "params": {"allocation_ratio": "0.05"}},
        {"mode": "PAPER"},
        {"strategy": "btc_experiment_v2"},
    ]
    return [
        {**bot_row(bot_id, **changed), "name": name}
        for (bot_id, name), changed in zip(NAMES.items(), changes, strict=True)
    ]


def main(target: Path) -> None:
    """Write the picture to ``target``."""
    sandbox = Sandbox()
    sandbox.start()
    exchange = Exchange(sandbox.url)
    for key in ("k1", "k2"):
        exchange.fund(key)
    exchange.list_bots(*bots())
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(sandbox.url, Path(folder))
        try:
            daemon.start(EXECSVC_TICK_INTERVAL="1", EXECSVC_LIQUIDATION_RETRY="600")
            for bot_id in list(NAMES)[:5]:
                daemon.until_holding(bot_id)
            daemon.until("FAILED", "e35a9d68")
            exchange.fault(
                "refuse", call="order", match={"side": "sell", "key_id": "k2"}, times=None
            )
            exchange.stop_bot("b02c77e1")
            exchange.stop_bot("4d1f0c52")
            daemon.until("STOPPED", "4d1f0c52")
            eventually(lambda: daemon.bot("b02c77e1")["pid"] is None, "its liquidation failed")
            with browser(Path(folder) / "browser") as window:
                window.size(WIDTH, HEIGHT)
                window.open(f"http://127.0.0.1:{daemon.port}/")
                target.write_bytes(window.picture())
        finally:
            daemon.close()
            sandbox.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
