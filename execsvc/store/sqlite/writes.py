"""Writes that are part of larger transactions."""

from __future__ import annotations

import sqlite3

from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, plain
from execsvc.model.position import Position
from execsvc.store.sqlite import rows


def store_position(tx: sqlite3.Connection, binding: Binding, position: Position) -> None:
    """Write ``position`` within a transaction."""
    tx.execute(
        "INSERT INTO position (mode, key_id, symbol, strategy, tracked, sold_short, entry_price, "
        "opened_at, dust) VALUES (?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT DO UPDATE SET strategy=excluded.strategy, tracked=excluded.tracked, "
        "sold_short=excluded.sold_short, entry_price=excluded.entry_price, "
        "opened_at=excluded.opened_at, dust=excluded.dust",
        (
            binding.mode.value,
            binding.key_id,
            binding.symbol,
            binding.strategy,
            plain(position.tracked),
            plain(position.sold_short),
            rows.text(position.entry_price),
            rows.time_text(position.opened_at),
            int(position.dust and position.tracked > ZERO),
        ),
    )


def store_state(tx: sqlite3.Connection, strategy: str, state: str | None) -> None:
    """Write a strategy's state within a transaction; None forgets it."""
    if state is None:
        tx.execute("DELETE FROM strategy_state WHERE strategy=?", (strategy,))
        return
    tx.execute(
        "INSERT INTO strategy_state VALUES (?,?) ON CONFLICT DO UPDATE SET state=excluded.state",
        (strategy, state),
    )
