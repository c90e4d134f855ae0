"""The halt of all trading, as the store keeps it over restarts."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

LONGEST_REASON = 500
"""Characters that are kept of a reason."""


class Halted(BaseModel):
    """The record of a halt of all trading. ``since`` is ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)

    since: str
    reason: str

    @property
    def text(self) -> str:
        """The halt in words, for ``last_error``, ``/health`` and the log."""
        return f"trading is halted: {self.reason}"


def one_line(reason: str) -> str:
    """The reason as one line that UTF-8 can write, for logs, ``/health`` and terminals."""
    plain = "".join(letter if letter.isprintable() else " " for letter in reason)
    return plain.strip()[:LONGEST_REASON] or "no reason given"
