"""The orders, positions and past tasks of scripted bots: files in one folder."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

from support.store_files import file_stem

from execsvc.errors import LedgerFailed
from execsvc.model.bot import Binding
from execsvc.model.position import Position
from execsvc.store.bot_state import LedgerState


class Folder:
    """Scripts, ledgers and history of one test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in ("scripts", "ledgers"):
            (path / name).mkdir(parents=True, exist_ok=True)

    def script(self, bot_id: str) -> dict[str, Any]:
        """The task of the bot."""
        path = self.path / "scripts" / f"{file_stem(bot_id)}.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def direct(self, bot_id: str, **script: Any) -> None:
        """Let the bot's next process do this."""
        _replace(self.path / "scripts" / f"{file_stem(bot_id)}.json", script)

    def keep(self, bot_id: str, *, is_open: bool, binding: Binding | None, **more: Any) -> None:
        """Write the bot's ledger."""
        bound = binding.model_dump(mode="json") if binding else None
        ledger = {"bot_id": bot_id, "open": is_open, "binding": bound, **more}
        _replace(self.path / "ledgers" / f"{file_stem(bot_id)}.json", ledger)

    def damage(self, bot_id: str) -> None:
        """Make the bot's ledger unreadable."""
        (self.path / "ledgers" / f"{file_stem(bot_id)}.json").write_text("\0")

    def note(self, *words: object) -> None:
        """Add a line to the history."""
        with (self.path / "history").open("a") as file:
            file.write(" ".join(map(str, words)) + "\n")

    def history(self, bot_id: str) -> list[str]:
        """The work of the bot's processes, oldest first: the task and its end."""
        path = self.path / "history"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.split(" ", 1)[1] for line in lines if line.split(" ", 1)[0] == bot_id]

    def read(self, bot_id: str) -> LedgerState | None:
        """As the ledgers' survey does it."""
        return self.read_named(file_stem(bot_id))

    def read_named(self, stem: str) -> LedgerState | None:
        """As the ledgers' survey does it."""
        path = self.path / "ledgers" / f"{stem}.json"
        return _state(path) if path.exists() else None

    def survey(self) -> tuple[list[LedgerState], dict[str, LedgerFailed]]:
        """As the ledgers' survey does it."""
        states, unreadable = [], {}
        for path in sorted((self.path / "ledgers").glob("*.json")):
            try:
                states.append(_state(path))
            except LedgerFailed as error:
                unreadable[path.stem] = error
        return states, unreadable


def _replace(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(f".{os.getpid()}.new")
    draft.write_text(json.dumps(content))
    draft.replace(path)


def _state(path: Path) -> LedgerState:
    try:
        kept = json.loads(path.read_text())
    except ValueError:
        raise LedgerFailed(f"{path.name} is damaged") from None
    binding = Binding(**kept["binding"]) if kept["binding"] else None
    return LedgerState(
        bot_id=kept["bot_id"],
        binding=binding,
        position=Position(tracked=Decimal("0.5")) if kept["open"] else Position(),
        unsettled=kept.get("unsettled", False),
        contested=kept.get("contested", 0),
        failing=False,
    )
