"""The service as systemd runs it in a machine, and a sandbox beside it that outlives it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from support.daemon import FAST, LISTING_ONLY
from support.deadline import eventually
from support.exchange import Exchange
from support.machine import PROGRAM, Machine
from support.machine_parts import SOURCES

UNITS = SOURCES / "systemd"
PORT = 8099
SANDBOX_URL = f"http://127.0.0.1:{PORT}"
BOOKS = "/var/lib/sandbox-books.json"
"""The sandbox's books as they were when it ended; it has them in memory only."""
ROWS = "/var/lib/sandbox-rows.json"
"""The rows that BotService lists from the start."""
SANDBOX = f"""
[Unit]
Before=execsvc.service

[Service]
ExecStart={PROGRAM} sandbox --port {PORT} --bots {ROWS}
ExecStop=/opt/execsvc/current/bin/python -c "import urllib.request as r; \
open('{BOOKS}', 'wb').write(r.urlopen('{SANDBOX_URL}/sandbox/books').read())"

[Install]
WantedBy=multi-user.target
"""
ENVIRONMENT = {
    **FAST,
    **LISTING_ONLY,
    "EXECSVC_BOT_SERVICE_URL": SANDBOX_URL,
    "EXECSVC_EXCHANGE_ADAPTER_URL": SANDBOX_URL,
}
_FORGET = """
systemctl kill -s KILL "$1" 2>/dev/null
systemctl stop "$1" 2>/dev/null
systemctl reset-failed "$1" 2>/dev/null
rm -rf "$2" "$3" && date +%s.%N
"""


class InsideExchange(Exchange):
    """The sandbox within a machine."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(SANDBOX_URL)
        self._machine = machine

    def call(self, method: str, path: str, body: Any = None) -> Any:
        self._session.close()  # no connection outlives a reboot
        with self._machine.network():
            return super().call(method, path, body)

    @property
    def answers(self) -> bool:
        """True when it listens."""
        try:
            self.call("GET", "/sandbox/requests")
        except requests.ConnectionError:
            return False
        return True


class Service:
    """One unit of a machine. ``name`` is ``execsvc`` or ``execsvc@NAME``."""

    def __init__(self, machine: Machine, name: str = "execsvc", port: int = 8090) -> None:
        self.machine = machine
        self.name = name
        self.port = port
        plain = name.removeprefix("execsvc@")
        self.env_file = f"/etc/execsvc/{plain}.env"
        self.state_dir = "/var/lib/" + name.replace("@", "-")
        self.since = ""

    def configure(self, unit: str = "", **environ: str) -> None:
        """Write its env file, and a drop-in with these lines of ``[Service]``, if any."""
        bind = {"EXECSVC_HTTP_BIND": f"127.0.0.1:{self.port}"}
        variables = {**ENVIRONMENT, **bind, **environ}
        text = "".join(f'{name}="{value}"\n' for name, value in variables.items())
        self.machine.write(self.env_file, text, 0o640)
        self.machine.run("chgrp", "execsvc", self.env_file)
        drop_in = f"/etc/systemd/system/{self.name}.service.d/test.conf"
        self.machine.write(drop_in, f"[Service]\n{unit}\n")
        self.machine.run("systemctl", "daemon-reload")

    def start(self) -> None:
        """Start it; returns when it is READY."""
        done = self.machine.attempt("systemctl", "start", self.name)
        assert done.returncode == 0, f"{done.stderr}{self.journal()}"

    def systemctl(self, verb: str, *options: str) -> str:
        """``systemctl VERB`` for it, which has to succeed."""
        return self.machine.run("systemctl", verb, *options, f"{self.name}.service")

    def show(self, fact: str) -> str:
        """One property of the unit."""
        return self.systemctl("show", "--value", "--property", fact)

    @property
    def main_pid(self) -> int:
        """The supervisor's pid, in the machine; 0 when it is dead."""
        return int(self.show("MainPID"))

    def processes(self) -> list[int]:
        """Every process of its control group, by its pid in the machine."""
        group = self.show("ControlGroup")
        if not group:
            return []
        files = self.machine.run(
            "sh", "-c", f"cat /sys/fs/cgroup{group}/cgroup.procs 2>/dev/null || true"
        )
        return [int(pid) for pid in files.split()]

    def shown(self, file: str) -> list[str]:
        """The content of ``file`` in /proc for each of its processes; none for one that is gone."""
        found = []
        for pid in self.processes():
            with suppress(FileNotFoundError, ProcessLookupError):
                found.append(self.machine.path(f"/proc/{pid}/{file}").read_text())
        return found

    def kill(self, number: str, pid: int) -> None:
        """Send a signal to a process of the machine."""
        self.machine.run("kill", "-s", number, str(pid))

    def get(self, path: str, **headers: str) -> requests.Response:
        """GET from its control plane."""
        with self.machine.network(), requests.Session() as session:
            session.trust_env = False
            url = f"http://127.0.0.1:{self.port}{path}"
            return session.get(url, headers=headers, timeout=60)

    def status(self) -> dict[str, Any]:
        """``/status``; empty when there is no answer."""
        try:
            found: dict[str, Any] = self.get("/status").json()
        except requests.RequestException:
            return {}
        return found

    def bot(self, bot_id: str = "b1") -> dict[str, Any]:
        """The row of one bot in ``/status``; empty when there is none."""
        found = [bot for bot in self.status().get("bots", ()) if bot["bot_id"] == bot_id]
        return found[0] if found else {}

    def until_holding(self, bot_id: str = "b1") -> dict[str, Any]:
        """Wait until the bot runs and holds a position."""
        try:
            return eventually(lambda: self._holding(bot_id), f"bot {bot_id} holds", 60)
        except AssertionError as failure:
            # The machine is gone when the failure is read.
            seen = f"{self.bot(bot_id)}\n{self.journal()[-4000:]}"
            raise AssertionError(f"{failure}\n{seen}") from None

    def until(self, **facts: str) -> None:
        """Wait until properties of the unit have these values."""
        wanted = {f"{fact}={value}" for fact, value in facts.items()}

        def shown() -> str:
            return self.systemctl("show", "--property", ",".join(facts))

        eventually(lambda: wanted <= set(shown().splitlines()), f"{facts}, but {shown()}", 90)

    def journal(self) -> str:
        """Its log since the test began."""
        since = f"--since=@{self.since}"
        return self.machine.run("journalctl", "-u", self.name, "-o", "cat", since, check=False)

    def events(self) -> list[str]:
        """The events since the test began, one after the other, by the journal's fields."""
        told = self.machine.run(
            "journalctl", "-t", self.name, "-o", "json", f"--since=@{self.since}"
        )
        return [json.loads(line).get("EVENT", "") for line in told.splitlines()]

    def forget(self) -> None:
        """As if it had never run."""
        self.since = self.machine.run(
            "sh", "-c", _FORGET, "sh", self.name, self.state_dir, self.env_file
        )

    def _holding(self, bot_id: str) -> dict[str, Any]:
        bot = self.bot(bot_id)
        runs = bot.get("state") == "RUNNING"
        return bot if runs and bot["position"]["side"] == "BUY" else {}


def install(machine: Machine) -> None:
    """Put our files where a machine looks for them, and what they need beside them."""
    for source, place in (
        ("execsvc.service", "/etc/systemd/system"),
        ("execsvc@.service", "/etc/systemd/system"),
        ("sysusers.d/execsvc.conf", "/etc/sysusers.d"),
        ("tmpfiles.d/execsvc.conf", "/etc/tmpfiles.d"),
    ):
        machine.write(f"{place}/{Path(source).name}", (UNITS / source).read_text())
    machine.write("/etc/systemd/system/sandbox.service", SANDBOX)
    machine.write(ROWS, "[]")
    machine.run("systemd-sysusers")
    machine.run("systemd-tmpfiles", "--create", "/etc/tmpfiles.d/execsvc.conf")
    machine.run("systemctl", "daemon-reload")


def books_at_the_end(machine: Machine, key: str = "k1") -> dict[str, Any]:
    """The exchange's books of one account, as they were when the sandbox was told to end."""
    found: dict[str, Any] = json.loads(machine.path(BOOKS).read_text())["accounts"][key]
    return found
