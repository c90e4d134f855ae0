"""The three bots of ``execsvc demo``."""

from __future__ import annotations

from typing import Any

_STAMP = "2026-01-01T00:00:00.000000"


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
