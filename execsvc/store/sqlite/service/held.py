"""The bots that an operator ended by a signal: they stay ended across restarts of the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from execsvc.errors import LedgerFailed
from execsvc.store.sqlite import whole_file

FILE = "held.json"
DAMAGED = "held.json.damaged"
"""The name under which an unreadable file is kept once another one is written in its place."""
_SET = TypeAdapter(dict[str, bool])


class HeldBotsFile:
    """Held bots by id; the value says whether the bot keeps its position (ended on USR2).

    While the file cannot be read, :meth:`suspect` is to be called for every known bot: if that is
    wrong, the only harm is that no bot starts and nothing is sold.
    """

    name = FILE

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._bots: dict[str, bool] = {}
        self._suspects: set[str] | None = None
        self.damage: str | None = None
        """The reason why the file could not be read, None when it could be read."""
        try:
            self._bots = _SET.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            pass
        except ValidationError:
            self.damage = "it is not JSON of ids and booleans"
        except OSError as error:
            self.damage = error.strerror or type(error).__name__
        self._unread = self.damage is not None
        self._unwritten = False

    @property
    def bots(self) -> Mapping[str, bool]:
        """The held bots by id; the value is True for a bot that keeps its position."""
        return self._bots

    def suspect(self, bot_ids: Iterable[str]) -> None:
        """Hold these bots with their positions, as the file that may name them cannot be read.

        They are written down with the first decision of an operator on one of them, not before.
        """
        self._suspects = set(bot_ids)
        self._bots.update(dict.fromkeys(self._suspects, True))

    def is_suspect(self, bot_id: str) -> bool:
        """True while the bot is held only because the file could not be read."""
        return self._suspects is not None and bot_id in self._suspects

    def add(self, bot_id: str, *, keeps: bool) -> None:
        """Hold ``bot_id``. Raises LedgerFailed when this could not be recorded."""
        self._decided(bot_id)
        self._bots[bot_id] = keeps
        self._write()

    def discard(self, bot_id: str) -> None:
        """Forget ``bot_id``, if it was held. Raises LedgerFailed when this could not be recorded."""
        self._decided(bot_id)
        if self._bots.pop(bot_id, None) is not None:
            self._write()

    def write_again(self) -> None:
        """Record the decisions that could not be recorded when they were made. Raises LedgerFailed."""
        if self._unwritten:
            self._write()

    def _decided(self, bot_id: str) -> None:
        """Note a decision on the bot. Raises LedgerFailed where the other bots of the file are unknown."""
        if self._suspects is not None:
            self._suspects.discard(bot_id)
        elif self._unread:
            raise LedgerFailed(
                f"{FILE} cannot be read ({self.damage}): start the service, which then holds every "
                f"bot, and release {bot_id} there"
            )

    def _write(self) -> None:
        self._unwritten = True
        if self._unread:
            with suppress(OSError):  # kept for the operator; a failure to keep it does not matter
                self._path.replace(self._path.with_name(DAMAGED))
        whole_file.replace(self._path, _SET.dump_json(self._bots))
        self._unread = self._unwritten = False
