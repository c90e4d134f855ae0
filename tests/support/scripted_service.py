"""A real supervisor with scripted bots, as a subprocess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support import processes
from support.daemon import LISTING_ONLY, Daemon
from support.deadline import eventually
from support.environment import scrubbed
from support.scripted_folder import Folder
from support.starting import STARTS

from execsvc.clients import control_socket

FAST = {
    "EXECSVC_POLL_INTERVAL": "0.2",
    "EXECSVC_LIQUIDATION_RETRY": "0.4",
    "EXECSVC_STOP_TIMEOUT": "20",
    "EXECSVC_SHUTDOWN_TIMEOUT": "30",
    "EXECSVC_HANG_TIMEOUT": "20",
}
TESTS = Path(__file__).parents[1]


class Scripted(Daemon):
    """The supervisor of ``support.scripted`` as a subprocess."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        # Its bots are played: BotService has nothing to hear of them.
        self.environ |= FAST | LISTING_ONLY
        self.scripts = Folder(folder)

    def start(self, *arguments: str, wait: bool = True, **environ: str) -> Scripted:
        """Start it with these settings."""
        with self.log_file.open("ab") as log:
            given = scrubbed(self.environ, {"PYTHONPATH": str(TESTS)}, environ)
            self._process = STARTS.start("support.scripted", [str(self.folder)], given, log, log)
        if wait:
            eventually(self._answers, "it answers")
        return self

    def history(self, bot_id: str = "b1") -> list[str]:
        """The work of the processes of the bot."""
        return self.scripts.history(bot_id)

    def direct(self, bot_id: str = "b1", **script: Any) -> None:
        """Set the task of the bot's next process."""
        self.scripts.direct(bot_id, **script)

    def ask(self, call: str, bot_id: str | None = None) -> dict[str, Any]:
        """The answer of the control socket."""
        whole = call in ("halt", "resume", "unfinished") and bot_id is None
        return self.call({"call": call} | ({} if whole else {"bot_id": bot_id or "b1"}))

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of the control socket to a whole request."""
        return control_socket.ask(self.folder / "run", request, 10)

    def checks(self) -> list[int]:
        """The processes that check a row at present."""
        return [child.pid for child in processes.children(self.pid) if "CHECK" in child.title]

    def child(self, title: str) -> int:
        """The pid of the supervisor's child with this title; 0 when there is none."""
        titled = (child.pid for child in processes.children(self.pid) if child.title == title)
        return next(titled, 0)

    def happened(self, *lines: str, bot_id: str = "b1") -> None:
        """Wait until the bot's history is exactly this."""
        eventually(lambda: self.history(bot_id) == list(lines), f"{bot_id}: {lines}")
