"""Detection of an exchange's ban of the adapter's address, by the words in the answer."""

from __future__ import annotations

import re

from execsvc.clock import now
from execsvc.model.stamps import in_milliseconds

LONGEST_BAN = 3 * 24 * 3600.0
"""Seconds that a ban is honoured at most: no exchange is known to ban for longer."""
UNTIL_UNKNOWN = 60.0
"""Seconds that a ban without an end is honoured: limits are counted by the minute."""
_BANNED = 418
_UNTIL = re.compile(r"banned until (\d{10,19})(?!\d)", re.IGNORECASE)
_TOO_MANY = re.compile(r"(?<![\w.-])-1003(?![\w.])")


def ban_of(status: int, text: str, retry_after: float | None) -> float | None:
    """Seconds for which a failure that says ``text`` bans the adapter; None when it does not.

    ``retry_after`` [s] is what the header asked for, None without the header. Binance: 418, and
    ``-1003`` with ``IP banned until`` and a moment in ms.
    """
    if status < 400:
        return None
    found = _UNTIL.search(text)
    if found is not None:
        return min(max(_seconds_until(found[1]), 0.0), LONGEST_BAN)
    if status == _BANNED:
        return UNTIL_UNKNOWN if retry_after is None else retry_after
    return UNTIL_UNKNOWN if _TOO_MANY.search(text) and status >= 500 else None


def _seconds_until(digits: str) -> float:
    """The seconds until a moment since 1970, which ``digits`` state in s, ms, us or ns."""
    return in_milliseconds(int(digits)) / 1000 - now().timestamp()
