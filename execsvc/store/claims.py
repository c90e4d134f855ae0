"""The service that owns an account."""

from __future__ import annotations

from typing import NamedTuple


class Holder(NamedTuple):
    """The service that has locked an account; None for what it did not write down."""

    state_dir: str | None
    pid: int | None

    @property
    def text(self) -> str:
        """For people."""
        place, pid = self.state_dir or "unknown", self.pid or "unknown"
        return f"the service with the state directory {place} (pid {pid})"
