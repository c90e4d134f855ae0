"""The halt of all trading, as it is kept over restarts."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Halted(BaseModel):
    """That trading is halted. ``since`` is ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)

    since: str
    reason: str

    @property
    def text(self) -> str:
        """For ``last_error``, ``/health`` and the log."""
        return f"trading is halted: {self.reason}"
