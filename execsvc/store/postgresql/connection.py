"""One connection to PostgreSQL whose waits have an end, and whose errors say if a statement was executed.

A connection is made whole or not at all. A statement is sent by itself, outside of any transaction, so the
server commits the statement with its answer.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from psycopg import Error, pq

from execsvc import clock
from execsvc.errors import LedgerFailed, LedgerUnavailable, WriteUnknown
from execsvc.store.postgresql.address import Address

CONNECT_SECONDS = 3.0
"""Longest wait for one host to accept a connection and a login."""
STATEMENT_SECONDS = 2.0
"""Time after which the server gives up a statement."""
ANSWER_SECONDS = 3.0
"""Longest wait for the answer to a statement; after that the answer counts as lost."""
_SETTINGS = {
    "search_path": "execsvc",
    "client_encoding": "UTF8",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "statement_timeout": f"{STATEMENT_SECONDS * 1000:.0f}",
    "lock_timeout": f"{STATEMENT_SECONDS * 750:.0f}",
    # The server finds out about a dead host, and ends its session, within seconds.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "8000",
    "client_connection_check_interval": "2000",
}
"""Settings of every session, made by itself: whatever the role's and the database's are."""
_SESSION = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', false)" for name, value in _SETTINGS.items()
)
_PASSING = ("08", "40", "53", "55", "57", "58", "25006", "XX000")
"""Beginnings of SQLSTATE of errors that may be over at the next try."""
_CANCELLED = b"57014"

Values = tuple[str | None, ...]


class StatementRefused(LedgerFailed):
    """A statement that the server certainly did not execute, with its SQLSTATE and what it broke."""

    def __init__(self, message: str, sqlstate: str, constraint: str) -> None:
        self.sqlstate = sqlstate
        self.constraint = constraint
        super().__init__(message)

    @property
    def passes(self) -> bool:
        """True when another try may succeed."""
        return self.sqlstate.startswith(_PASSING)


class Answer(NamedTuple):
    """The rows of an answer, each value as PostgreSQL's text."""

    rows: list[Values]


class DatabaseConnection:
    """An open connection; after WriteUnknown it is closed."""

    def __init__(self, pgconn: pq.abc.PGconn) -> None:
        self._pgconn = pgconn
        self._answers: list[pq.abc.PGresult] = []
        self._awaited = False
        self._cancelled_wait = False
        pgconn.notice_handler = self._notice
        pgconn.nonblocking = 1

    @property
    def backend_pid(self) -> int:
        """The process of the server behind this connection."""
        return self._pgconn.backend_pid

    @property
    def server_version(self) -> int:
        """The server's version, 150004 for 15.4."""
        return self._pgconn.server_version

    def fileno(self) -> int:
        """The socket, to wait for an answer on."""
        return self._pgconn.socket

    def send(self, statement: str, values: Sequence[str | None] = ()) -> None:
        """Send ``statement``. Raises WriteUnknown; LedgerUnavailable when certainly nothing was sent."""
        self._answers = []
        self._cancelled_wait = False
        encoded = [None if value is None else value.encode() for value in values]
        try:
            self._pgconn.send_query_params(statement.encode(), encoded)
        except Error as error:
            self.close()
            raise LedgerUnavailable(f"PostgreSQL takes no statement: {_words(error)}") from error
        self._awaited = True
        try:
            self._flush(clock.monotonic() + ANSWER_SECONDS)
        except Error as error:
            self.lose(_words(error))

    def poll(self) -> Answer | None:
        """The answer, None while there is none. Raises WriteUnknown, StatementRefused."""
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                found = self._pgconn.get_result()
                if found is None:
                    return self._answer() if self._awaited else None
                self._answers.append(found)
        except Error as error:
            self._pass_on_fatal()
            self.lose(_words(error))
        return None

    def call(
        self, statement: str, values: Sequence[str | None] = (), timeout: float = ANSWER_SECONDS
    ) -> Answer:
        """The answer to ``statement`` within ``timeout`` seconds; raises what ``send`` and ``poll`` raise."""
        deadline = clock.monotonic() + timeout
        self.send(statement, values)
        while (answer := self.poll()) is None:
            if not _wait(self.fileno(), select.POLLIN, deadline):
                self.lose("no answer in time")
        return answer

    def run_script(self, script: str) -> None:
        """Execute the statements of ``script``, however long. Raises StatementRefused, WriteUnknown."""
        self._answers = []
        try:
            self._answers = [self._pgconn.exec_(script.encode())]
        except Error as error:
            self.lose(_words(error))
        self._answer()

    def lose(self, reason: str) -> NoReturn:
        """Close the connection, as the answer to the statement on the way is lost. Raises WriteUnknown."""
        self.close()
        raise WriteUnknown(f"the answer of PostgreSQL is lost: {reason}")

    def close(self) -> None:
        """Close the connection; a statement on its way may still be executed."""
        self._pgconn.finish()

    def _flush(self, deadline: float) -> None:
        while self._pgconn.flush():
            if not _wait(self.fileno(), select.POLLOUT | select.POLLIN, deadline):
                self.lose("the statement could not be sent in time")
            self._pgconn.consume_input()

    def _answer(self) -> Answer:
        self._awaited = False
        if not self._answers:
            self.lose("an empty answer")
        self._pass_on_fatal()
        if self._cancelled_wait:
            # The server has it, but a standby may not: it can be lost at a failover.
            self.lose("the wait for a standby was cancelled")
        last = self._answers[-1]
        for found in self._answers:
            if found.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
                self._refuse(found)
        rows = [
            tuple(_text(last.get_value(row, column)) for column in range(last.nfields))
            for row in range(last.ntuples)
        ]
        return Answer(rows)

    def _pass_on_fatal(self) -> None:
        """Raise WriteUnknown for an error that ended the session: the commit may have come before."""
        for found in self._answers:
            if _field(found, pq.DiagnosticField.SEVERITY_NONLOCALIZED) in ("FATAL", "PANIC"):
                self.lose(_field(found, pq.DiagnosticField.MESSAGE_PRIMARY))

    def _refuse(self, found: pq.abc.PGresult) -> NoReturn:
        raise StatementRefused(
            _field(found, pq.DiagnosticField.MESSAGE_PRIMARY) or "an answer without rows",
            _field(found, pq.DiagnosticField.SQLSTATE),
            _field(found, pq.DiagnosticField.CONSTRAINT_NAME),
        )

    def _notice(self, notice: pq.abc.PGresult) -> None:
        if notice.error_field(pq.DiagnosticField.SQLSTATE) == _CANCELLED:
            self._cancelled_wait = True


def connect(
    place: Address, application_name: str, timeout: float = CONNECT_SECONDS
) -> DatabaseConnection:
    """A connection to the first host of ``place`` that takes writes, each tried for ``timeout`` seconds.

    Raises LedgerUnavailable.
    """
    reasons = []
    for conninfo in place.conninfos(application_name):
        deadline = clock.monotonic() + timeout
        pgconn = pq.PGconn.connect_start(conninfo)
        try:
            _log_in(pgconn, deadline)
            connection = DatabaseConnection(pgconn)
            connection.call(_SESSION, timeout=max(deadline - clock.monotonic(), 0.1))
        except (Error, LedgerFailed, TimeoutError) as error:
            pgconn.finish()
            reasons.append(_words(error))
        else:
            return connection
    raise LedgerUnavailable(f"{place.name}: {'; '.join(dict.fromkeys(reasons))}")


def _log_in(pgconn: pq.abc.PGconn, deadline: float) -> None:
    # Until the first call of connect_poll the socket is waited for as if it were being written to.
    wanted = select.POLLOUT
    while pgconn.status != pq.ConnStatus.BAD:
        if not _wait(pgconn.socket, wanted, deadline):
            raise TimeoutError("no connection in time")
        match pgconn.connect_poll():
            case pq.PollingStatus.OK:
                return
            case pq.PollingStatus.READING:
                wanted = select.POLLIN
            case pq.PollingStatus.WRITING:
                wanted = select.POLLOUT
            case _:
                break
    raise LedgerUnavailable(pgconn.get_error_message())


def _wait(descriptor: int, events: int, deadline: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, events)
    return bool(poll.poll(max(deadline - clock.monotonic(), 0.0) * 1000))


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _field(found: pq.abc.PGresult, field: pq.DiagnosticField) -> str:
    return (found.error_field(field) or b"").decode("utf-8", "replace")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
