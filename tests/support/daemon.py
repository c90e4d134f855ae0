"""``execsvc run`` as a subprocess, and what can be seen of it from outside."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import requests
from support import processes
from support.deadline import PATIENCE, eventually
from support.environment import scrubbed
from support.processes import Process
from support.starting import STARTS, Running

FAST = {
    "EXECSVC_POLL_INTERVAL": "0.2",
    "EXECSVC_TICK_INTERVAL": "0.1",
    "EXECSVC_REQUEST_TIMEOUT": "2",
    "EXECSVC_ORDER_TIMEOUT": "2",
    "EXECSVC_SETTLEMENT_WINDOW": "1",
    "EXECSVC_LIQUIDATION_ATTEMPTS": "3",
    "EXECSVC_LIQUIDATION_BACKOFF": "0.1",
    "EXECSVC_LIQUIDATION_RETRY": "0.5",
    "EXECSVC_STOP_TIMEOUT": "30",
    "EXECSVC_SHUTDOWN_TIMEOUT": "40",
    "EXECSVC_HTTP_BIND": "127.0.0.1:0",
    "EXECSVC_LOG_LEVEL": "INFO",
}
"""Quick, and otherwise as users have it: what BotService can do beyond its listing is found out."""
LISTING_ONLY = {"EXECSVC_BOT_LIFECYCLE": "false", "EXECSVC_REPORT_LEDGER": "false"}
"""Of BotService nothing but the listing of RUNNING bots is called."""


_LINES_SHOWN = 60
"""Lines of its log that the report of a failed test shows."""


class Daemon:
    """The real program, started and stopped by a test; its state outlives it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.state_dir = folder / "state"
        self.log_file = folder / "daemon.log"
        self.environ = {
            **FAST,
            "EXECSVC_BOT_SERVICE_URL": url,
            "EXECSVC_EXCHANGE_ADAPTER_URL": url,
            "EXECSVC_STATE_DIR": str(self.state_dir),
            "EXECSVC_RUNTIME_DIR": str(folder / "run"),
        }
        self.under: tuple[str, ...] = ()
        """A command that becomes the daemon: another user's, say."""
        self._process: Running | None = None
        self._seen: set[Process] = set()
        self._listens = (0, 0)
        """A supervisor's pid, and the port on which it was seen to listen."""
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def process(self) -> Running:
        """The daemon's process."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def pid(self) -> int:
        """The supervisor's pid."""
        return self.process.pid

    def start(self, *arguments: str, wait: bool = True, **environ: str) -> Daemon:
        """Start it; ``environ`` in EXECSVC_ names. Returns once it answers, if it is to be waited for."""
        with self.log_file.open("ab") as log:
            given = scrubbed(self.environ, environ)
            self._process = STARTS.start(
                "execsvc", ["run", *arguments], given, log, log, under=self.under
            )
        if wait:
            eventually(self._answers, "the daemon answers")
        return self

    def command(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run ``execsvc`` with the daemon's environment."""
        return STARTS.run("execsvc", arguments, scrubbed(self.environ, environ), PATIENCE)

    @property
    def log(self) -> str:
        """All that it logged."""
        return self.log_file.read_text(errors="replace")

    def sections_of_a_report(self) -> list[tuple[str, str]]:
        """Title and text of each part of a failed test's report: the last lines logged, and /health."""
        lines = self.log.splitlines()[-_LINES_SHOWN:] if self.log_file.exists() else ["no log"]
        try:
            health = str(self.health())
        except (OSError, AssertionError) as error:
            health = f"no answer: {error!r}"
        return [("end of the daemon's log", "\n".join(lines)), ("/health of the daemon", health)]

    @property
    def port(self) -> int:
        """The port on which the daemon listens; 0 before it does, and once it is gone."""
        supervisor = processes.find(self.pid)
        return next(iter(supervisor.ports), 0) if supervisor is not None else 0

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        """GET from the control plane."""
        return self._session.get(self._address(path), timeout=60, **kwargs)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        """POST to the control plane."""
        return self._session.post(self._address(path), timeout=60, **kwargs)

    def status(self) -> dict[str, Any]:
        """``/status``."""
        answer = self.get("/status")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def health(self) -> tuple[int, dict[str, Any]]:
        """``/health``: HTTP status and body."""
        answer = self.get("/health")
        return answer.status_code, answer.json()

    def bot(self, bot_id: str = "b1") -> dict[str, Any]:
        """The row of one bot in ``/status``; empty when there is none."""
        found = [bot for bot in self.status()["bots"] if bot["bot_id"] == bot_id]
        return found[0] if found else {}

    def ticks(self, bot_id: str = "b1") -> int:
        """The ticks of the bot's processes; 0 while it is not listed yet."""
        return int(self.bot(bot_id).get("ticks", 0))

    def until(self, state: str, bot_id: str = "b1", within: float = PATIENCE) -> dict[str, Any]:
        """Wait until the bot is in ``state``."""
        return eventually(lambda: self._in_state(bot_id, state), f"bot {bot_id} is {state}", within)

    def until_holding(self, bot_id: str = "b1", within: float = PATIENCE) -> dict[str, Any]:
        """Wait until the bot runs and holds a position."""
        return eventually(lambda: self._holding(bot_id), f"bot {bot_id} holds", within)

    def signal(self, number: int) -> None:
        """Send the supervisor a signal."""
        os.kill(self.pid, number)

    def wait(self, within: float = PATIENCE) -> int:
        """Its exit code."""
        return self.process.wait(timeout=max(within, PATIENCE))

    def stop(self, within: float = PATIENCE) -> int:
        """Stop it gracefully; its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(within)

    def family(self) -> list[Process]:
        """Every process of it that lives, as far as it was seen: the supervisor first, then by age.

        Those of an earlier start count too, orphans that hold a file of the state directory. Such
        an orphan is older than the supervisor.
        """
        if self._process is not None and self._process.poll() is None:
            supervisor = processes.find(self.pid)
            if supervisor is not None:
                self._seen.update([supervisor, *supervisor.children(recursive=True)])
        self._seen.update(processes.holding(self.state_dir))
        living = [process for process in self._seen if process.lives]
        own = None if self._process is None else self.pid
        return sorted(living, key=lambda process: (process.pid != own, processes.age(process)))

    def kill_everything(self) -> None:
        """Kill every process of it before any can act on another's death."""
        processes.kill_at_once(self.family())
        self.wait()
        eventually(lambda: not self.family(), "all of it is dead")

    def close(self) -> None:
        """Kill whatever is left of it."""
        eventually(self._is_killed, "all of it is killed")
        if self._process is not None:
            self._process.wait(timeout=PATIENCE)

    def _is_killed(self) -> bool:
        """Kill what lives; True when nothing did. A process that was forked meanwhile is next."""
        left = self.family()
        for process in left:
            process.kill()
        return not left

    def _address(self, path: str) -> str:
        port = self._port_now()
        if not port:
            raise requests.ConnectionError(f"the daemon listens nowhere: {self.log[-2000:]}")
        return f"http://127.0.0.1:{port}{path}"

    def _port_now(self) -> int:
        """The port of the supervisor that runs, looked up once: the look costs more than a request.

        0 once the supervisor is gone, whose port may be another program's by then.
        """
        if self.process.poll() is not None:
            return 0
        if self._listens[0] != self.pid or not self._listens[1]:
            self._listens = self.pid, self.port
        return self._listens[1]

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"the daemon ended: {self.log[-2000:]}"
        try:
            return bool(self._port_now()) and self.get("/status").status_code == 200
        except requests.RequestException:
            return False

    def _in_state(self, bot_id: str, state: str) -> dict[str, Any]:
        bot = self.bot(bot_id)
        return bot if bot.get("state") == state else {}

    def _holding(self, bot_id: str) -> dict[str, Any]:
        bot = self.bot(bot_id)
        runs = bot.get("state") == "RUNNING"
        return bot if runs and bot["position"]["side"] == "BUY" else {}
