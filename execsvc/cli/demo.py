"""``execsvc demo``: the whole service at work, on a paper exchange."""

from __future__ import annotations

import socket
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from execsvc.cli.demo_daemon import HOST, DemoDaemon
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.output import table
from execsvc.exit_codes import DONE, FAULT, RESIDUE
from execsvc.model.market import Symbol
from execsvc.sandbox.books import all_books
from execsvc.sandbox.market import FeeReport, MarketChange
from execsvc.sandbox.server import Sandbox

_STAMP = "2026-01-01T00:00:00.000000"


@click.command(
    epilog=exit_codes(
        (DONE, "stopped, and everything is sold"),
        (FAULT, "the daemon ended by itself"),
        (RESIDUE, "a position is left unsold"),
    )
)
@click.option(
    "--port", type=int, default=8090, help="Port of /status; any free one when it is taken."
)
def demo(port: int) -> int:
    """Run a sandbox, three bots and the daemon together until Ctrl-C, then show the books."""
    rows = demo_bots()
    with tempfile.TemporaryDirectory(prefix="execsvc-demo-") as folder:
        sandbox_port = _free_port(0)
        daemon = DemoDaemon(Path(folder), f"http://{HOST}:{sandbox_port}", _free_port(port))
        # Forked before the sandbox makes its threads; it takes longer to start than they do.
        daemon.start()
        sandbox = Sandbox(sandbox_port, rows)
        # A fee in the coin that is bought leaves rests too small to be sold.
        sandbox.state.market.change(MarketChange(fees=FeeReport.QUOTE))
        sandbox.start()
        bot_ids = [row["id"] for row in rows]
        try:
            code = daemon.follow(bot_ids)
        finally:
            daemon.end(bot_ids)
            sandbox.stop()
        on_paper = [r["id"] for r in rows if r["global_settings"]["mode"] == "PAPER"]
        left = _show_books(all_books(sandbox.state.exchange, None, events=False)["accounts"])
        click.echo(f"Traded on paper, and so in no books: {', '.join(on_paper)}")
    return code or (RESIDUE if left else DONE)


def demo_bots() -> list[dict[str, Any]]:
    """Rows for BotService: two live bots on one account and one on paper, with short intervals."""
    return [
        _row("demo-btc", "BTC, live", "BTC/USDT", "LIVE", 0.1, 5),
        _row("demo-eth", "ETH, live", "ETH/USDT", "LIVE", 0.05, 8),
        _row("demo-sol", "SOL, on paper", "SOL/USDT", "PAPER", 0.2, 5),
    ]


def _row(bot_id: str, name: str, symbol: str, mode: str, ratio: float, hold: int) -> dict[str, Any]:
    return {
        "id": bot_id,
        "name": name,
        "status": "RUNNING",
        "status_message": None,
        "global_settings": {
            "exchange": "demo-account",
            "symbol": symbol,
            "account_allocation": "1000",
            "mode": mode,
        },
        "pipeline": {
            "strategy": {
                "id": "test_trading_v1",
                "params": {"allocation_ratio": ratio, "hold_duration": hold, "loop_count": 0},
            },
            "triggers": {"interval_sec": 1},
        },
        "created_at": _STAMP,
        "updated_at": _STAMP,
    }


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError:
            probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _show_books(accounts: dict[str, Any]) -> bool:
    """Print the book of each coin; True when a part of what was bought is left."""
    header = ["ACCOUNT", "COIN", "BOUGHT", "SOLD", "LEFT"]
    rows = [
        [key_id, coin, *(account["assets"][coin][name] for name in ("bought", "sold", "left"))]
        for key_id, account in accounts.items()
        for coin in sorted({Symbol.parse(order["symbol"]).base for order in account["orders"]})
    ]
    click.echo("\nThe books of the sandbox's exchange:")
    click.echo(table(header, rows) if rows else "nothing was traded")
    return any(Decimal(row[-1]) for row in rows)
