"""Recordings for tests: made ones, and the real ones where they are there."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.requirements import MARKET, require, skip

START = 1_700_000_000_000


def real(name: str) -> Path:
    """The recording whose name begins with ``name``; the test is skipped where there is none."""
    require("recordings")
    found = sorted(MARKET.glob(f"{name}*.jsonl.gz"))
    if not found:
        skip(f"no recording of {name} in {MARKET}", f"put {name}….jsonl.gz there")
    return found[0]


def book(t: int, bid: str, ask: str, amount: str = "10") -> dict[str, Any]:
    """A book of one level a side, ``t`` ms after the start."""
    return {"t": START + t, "type": "depth", "bids": [[bid, amount]], "asks": [[ask, amount]]}


def trade(t: int, side: str, amount: str = "1", price: str = "100") -> dict[str, Any]:
    """A trade, ``t`` ms after the start."""
    return {"t": START + t, "type": "trade", "price": price, "amount": amount, "side": side}


def write(path: Path, rows: Sequence[dict[str, Any] | str]) -> Path:
    """A recording of these lines, packed if it is called so."""
    text = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows)
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        path.write_text(text)
    return path


def random_market(seconds: int, seed: int = 1) -> list[dict[str, Any]]:
    """A market that moves enough to be traded: pushes of one-sided flow, then calm."""
    rng = random.Random(seed)
    mid, rows = 10_000.0, [book(0, "9999", "10001")]
    for second in range(1, seconds):
        phase = second % 40
        push = rng.choice((-1, 1)) if phase == 0 else 0
        side = "buy" if (second // 40 + seed) % 2 else "sell"
        half = 6.0 if phase < 2 else 1.0
        if phase < 2:
            mid += 15.0 if side == "buy" else -15.0
        mid += rng.gauss(0, 0.3) + push
        if phase < 20:
            rows.append(trade(second * 1000 - 500, side, "0.05", f"{mid:.2f}"))
        rows.append(book(second * 1000, f"{mid - half:.2f}", f"{mid + half:.2f}"))
    return rows
