"""The bots that an operator ended by a signal: they stay ended across restarts of the service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from execsvc.errors import LedgerFailed
from execsvc.ledger import whole_file

FILE = "held.json"
_SET = TypeAdapter(dict[str, bool])


class HeldBots:
    """Held bots by id; the value says whether the bot keeps its position (ended on USR2).

    Raises LedgerFailed when the file is there and cannot be read: what an operator ended must
    not trade again because a file is damaged.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        try:
            self._bots = _SET.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            self._bots = {}
        except (OSError, ValidationError) as error:
            raise LedgerFailed(
                f"{self._path} cannot be read ({_reason(error)}); it names the bots that were held "
                "by hand: repair it, or move it away to let them all run"
            ) from error

    @property
    def bots(self) -> Mapping[str, bool]:
        """Whether it keeps its position, for each held bot."""
        return self._bots

    def add(self, bot_id: str, *, keeps: bool) -> None:
        """Remember ``bot_id``. Raises LedgerFailed when it could not be written down."""
        self._bots[bot_id] = keeps
        self._write()

    def discard(self, bot_id: str) -> None:
        """Forget ``bot_id``, if it was held. Raises LedgerFailed when that could not be written."""
        if self._bots.pop(bot_id, None) is not None:
            self._write()

    def _write(self) -> None:
        whole_file.replace(self._path, _SET.dump_json(self._bots))


def _reason(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it is not JSON of ids and booleans"
