"""Bots of ``/status`` in the fields of the page. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from execsvc.clock import from_iso
from execsvc.model.market import Symbol

TONES = {
    "LIQUIDATING": "warn",
    "FAILED": "bad",
    "BACKOFF": "warn",
    "INVALID": "warn",
    "HELD": "warn",
    "STOPPING": "busy",
    "BOOTING": "busy",
    "RUNNING": "good",
    "STOPPED": "",
}
"""The colour of each state, in the order in which they are shown."""
PRICE_DIGITS = 9
_ORDER = list(TONES)
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


def rank(state: str) -> int:
    """The place of a state: states that need an operator's attention come first."""
    return _ORDER.index(state) if state in TONES else -1


def matches(bot: Mapping[str, Any], state: str, sought: str) -> bool:
    """True when the bot is in ``state`` and one of its texts contains ``sought``; both may be
    empty.
    """
    if state and bot["state"] != state:
        return False
    fields = (bot["bot_id"], bot["name"], bot["symbol"], bot["key_id"], bot["strategy"])
    return any(sought.casefold() in (text or "").casefold() for text in fields)


def row(number: int, bot: Mapping[str, Any], wrong: bool, now: datetime) -> dict[str, Any]:
    """One row; ``wrong``: a fault of this bot is at the top of the page."""
    name = bot["name"] or bot["bot_id"] or "(no id)"
    wrong = wrong and bool(bot["bot_id"])
    return {
        "order": (not wrong, rank(bot["state"]), name.casefold(), number),
        "key": bot["bot_id"] or f" nameless {number}",
        "name": name,
        "id": bot["bot_id"] or name,
        "wrong": wrong,
        "error": bot["last_error"],
        "symbol": bot["symbol"] or "",
        "key_id": bot["key_id"] or "",
        "mode": bot["mode"] or "",
        "strategy": bot["strategy"] or "",
        "state": bot["state"],
        "tone": TONES.get(bot["state"], ""),
        "restarts": bot["restarts"],
        "guards": [f"{guard['guard']}: {guard['detail']}" for guard in bot.get("guards") or []],
        "position": _position(bot["position"], bot["symbol"], now),
        "result": _result(bot.get("result")),
        "ticks": bot["ticks"],
        "ticked": ago(bot["last_tick_at"], now),
        "pid": bot["pid"],
    }


def span(seconds: float) -> str:
    """A length of time, short.

    >>> span(59.9), span(60), span(7300), span(200_000)
    ('59 s', '1 min', '2 h', '2 d')
    """
    if seconds < _MINUTE:
        return f"{int(max(seconds, 0))} s"
    if seconds < _HOUR:
        return f"{int(seconds / _MINUTE)} min"
    return f"{int(seconds / _HOUR)} h" if seconds < _DAY else f"{int(seconds / _DAY)} d"


def ago(at: str | None, now: datetime) -> str:
    """The time since the ISO time ``at``, in fields; empty without one."""
    return f"{span((now - from_iso(at)).total_seconds())} ago" if at else ""


def _position(held: Mapping[str, Any], symbol: str | None, now: datetime) -> list[str]:
    """The position in fields: nothing when it is flat, but dust that is tracked is shown."""
    base = Symbol.parse(symbol).base if symbol else ""
    if held["side"] is None:
        dust = Decimal(held["tracked"] or 0)
        return [f"dust {held['tracked']} {base}"] if dust else []
    short = held["side"] == "SELL"
    amount = held["sold_short"] if short else held["tracked"]
    lines = [f"{'sold' if short else ''} {amount} {base}".strip()]
    if held["entry_price"] is not None:
        lines.append(f"at {Decimal(held['entry_price']):.{PRICE_DIGITS}g}")
    if held["opened_at"] is not None:
        lines.append(f"since {span((now - from_iso(held['opened_at'])).total_seconds())}")
    return lines


def _result(result: Mapping[str, Any] | None) -> dict[str, str] | None:
    if not result:
        return None
    realised = Decimal(result["realised"] or 0)
    tone = "good" if realised > 0 else "bad" if realised < 0 else ""
    return {
        "realised": f"{_signed(result['realised'])} {result['currency'] or ''}".strip(),
        "today": _signed(result["today"]),
        "tone": tone,
    }


def _signed(amount: str | None) -> str:
    """A sum with its sign; "unknown" for None."""
    if amount is None:
        return "unknown"
    return f"+{amount}" if Decimal(amount) > 0 else amount.replace("-", "\N{MINUS SIGN}")
