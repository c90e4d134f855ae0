"""The ledgers of a state directory, as the supervisor reads them."""

from __future__ import annotations

from pathlib import Path

from execsvc.errors import LedgerFailed
from execsvc.store.bot_state import LedgerState
from execsvc.store.sqlite import survey


class StateDirectory:
    """Reads, and never writes, what the runners keep in ``state_dir``."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir

    def read(self, bot_id: str) -> LedgerState | None:
        """The state of one ledger; None when the bot has none. Raises LedgerFailed."""
        return survey.read(self._state_dir, bot_id)

    def read_file(self, stem: str) -> LedgerState | None:
        """The same, by the name of its file. Raises LedgerFailed."""
        return survey.read_file(self._state_dir, stem)

    def survey(self) -> tuple[list[LedgerState], dict[str, LedgerFailed]]:
        """All that can be read, and why the others cannot, by file stem."""
        return survey.survey(self._state_dir)
