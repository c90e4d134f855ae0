"""A PostgreSQL of the tests: Debian's, on a unix socket in a temporary directory, one for each worker.

Its files are synced as in production; it listens on no port, and ends with the process that started it.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.environment import scrubbed
from support.requirements import postgresql_programs, require

START_SECONDS = 60.0
SETTINGS = (
    *("listen_addresses=", "max_connections=300", "log_min_messages=warning"),
    *("fsync=on", "full_page_writes=on", "synchronous_commit=on"),
)


class PostgresServer:
    """A server, from :meth:`start` to :meth:`stop`; each test has a database of its own in it."""

    def __init__(self, *settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="execsvc-pg-", dir="/tmp"))
        self._settings = settings
        self._programs = postgresql_programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """The URL of a database of this server."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start the server, with an empty cluster at the first start; ready at the return."""
        if not self.data.exists():
            self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8")
        options = [word for each in (*SETTINGS, *self._settings) for word in ("-c", each)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", self.data, "-k", self.folder, *options),
                env=scrubbed(),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"PostgreSQL does not start: {(self.folder / 'log').read_text()}"
                )
            time.sleep(0.05)

    def halt(self, mode: str = "fast") -> None:
        """Stop the server as ``pg_ctl`` does, in ``mode``; its files stay."""
        if self._process is not None:
            self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")
            self._process.wait(START_SECONDS)
            self._process = None

    def stop(self) -> None:
        """End the server and remove its files."""
        if self._process is not None:
            self.halt("immediate")
        shutil.rmtree(self.folder)

    def new_database(self, template: str = "template1") -> str:
        """The name of a new database, made as a copy of ``template``."""
        name = (
            f"{template}_{next(self._numbers)}"
            if template != "template1"
            else f"t{next(self._numbers)}"
        )
        self.sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def sql(self, database: str, text: str) -> str:
        """The answer of ``psql`` to ``text``: a line a row, columns separated by ``|``."""
        arguments = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text)
        return self.run("psql", self.url(database), *arguments).rstrip("\n")

    def run(self, program: str, *arguments: str | Path) -> str:
        """The output of a program of PostgreSQL's, run as the owner of the server."""
        done = subprocess.run(
            self._command(program, *arguments),
            env=scrubbed(),
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{program}: {done.stderr}{done.stdout}"
        return done.stdout

    def _is_ready(self) -> bool:
        command = self._command("pg_isready", "-q", "-h", self.folder)
        return subprocess.run(command, env=scrubbed(), cwd=self.folder).returncode == 0

    def _command(self, program: str, *arguments: str | Path) -> list[str]:
        """A command as the server's owner, which is not root, and ended with its parent."""
        command = [str(self._programs / program), *map(str, arguments)]
        ends_with_parent = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() != 0:
            return [*ends_with_parent, *command]
        return [
            *ends_with_parent,
            "--reuid=postgres",
            "--regid=postgres",
            "--init-groups",
            *command,
        ]


def running_server() -> Iterator[PostgresServer]:
    """A server, started and at last stopped."""
    require("PostgreSQL")
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()


def new_template(server: PostgresServer) -> str:
    """The name of a new database with the tables of a store that hosts share, and no rows."""
    from execsvc.store.postgresql import schema
    from execsvc.store.postgresql.address import address
    from execsvc.store.postgresql.connection import connect

    name = server.new_database()
    connection = connect(address(server.url(name)), "execsvc tests")
    schema.install(connection)
    connection.close()
    return name


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A running PostgreSQL, the same for all tests of this worker. Tests with it are slow ones."""
    yield from running_server()


@pytest.fixture(scope="session")
def shared_template(postgresql: PostgresServer) -> str:
    """The name of a database with the tables of a store that hosts share, and no rows."""
    return new_template(postgresql)


@pytest.fixture
def shared_url(postgresql: PostgresServer, shared_template: str) -> str:
    """The URL of a new database with these tables."""
    return postgresql.url(postgresql.new_database(shared_template))
