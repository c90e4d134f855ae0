"""journald's native protocol: an entry a record, with fields that can be queried.

The protocol is logging-journald's. A socket of its own for each record costs a few microseconds,
and there is nothing that a forked child must not use, nothing to connect again when journald was
restarted, and nothing to close in a process that lives without a journal.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from execsvc.clock import SYSTEM
from execsvc.logs.output import LogChannel
from execsvc.logs.render import PRIORITIES, one_line, plain_value, text_value, traceback_text
from execsvc.masking import masked

if TYPE_CHECKING:
    from loguru import Record

IDENTIFIER = "execsvc"
FIELDS = {
    "bot_id": "BOT_ID",
    "bot_name": "BOT_NAME",
    "strategy": "STRATEGY",
    "symbol": "SYMBOL",
    "event": "EVENT",
    "order_id": "ORDER_ID",
    "key_id": "KEY_ID",
    "exchange_id": "EXCHANGE_ID",
    "side": "SIDE",
    "amount": "AMOUNT",
    "filled": "FILLED",
    "average": "AVERAGE",
    "base_fee": "BASE_FEE",
    "reason": "REASON",
    "finding": "FINDING",
    "owner": "OWNER",
    "tracked": "TRACKED",
    "missing": "MISSING",
    "pid": "CHILD_PID",
    "target": "TARGET",
    "guard": "GUARD",
    "logger": "LOGGER",
}
"""The members of a record that become fields.

The others stay in the message: no name comes from outside.
"""
_LEAST_WAIT = 0.001
_TIMEVAL = struct.Struct("@ll")


def listens(descriptor: int) -> bool:
    """True when systemd connected ``descriptor`` to its journal (``$JOURNAL_STREAM`` names it)."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def journal() -> Sequence[LogChannel]:
    """The journal, where the library for its protocol is installed (the extra ``journald``)."""
    try:
        from logging_journald import JournaldTransport
    except ImportError:
        return []
    return [Journal(JournaldTransport)]


class Journal:
    """journald's socket. ``transport`` is the library's class that speaks the protocol."""

    def __init__(self, transport: type[Any]) -> None:
        self._transport = transport
        self._taken = True

    def deliver(self, record: Record, until: float) -> bool:
        """True once journald has it, or will read it from its socket."""
        seconds_left = until - SYSTEM.monotonic() if self._taken else 0.0
        try:
            # Not connected: a socket that was connected to a replaced journald never works again.
            transport = self._transport(connected=False)
        except OSError:
            self._taken = False
            return False
        with transport.socket as connection:
            _wait_at_most(connection, seconds_left)
            try:
                transport.send(entry(record))
            except OSError:
                self._taken = False
            else:
                self._taken = True
        return self._taken


def entry(record: Record) -> list[tuple[str, str]]:
    """The fields of ``record``; values that hold a newline go by the binary form."""
    given = {
        "MESSAGE": _message(record),
        "PRIORITY": str(PRIORITIES.get(record["level"].name, 6)),
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "CODE_FILE": record["file"].path,
        "CODE_LINE": str(record["line"]),
        "CODE_FUNC": record["function"],
    }
    for name, value in record["extra"].items():
        if name in FIELDS:
            given[FIELDS[name]] = plain_value(value)
    return [(name, _utf8(masked(value))) for name, value in given.items()]


def _message(record: Record) -> str:
    """The message, the bot before it, and after it the members without a field and the traceback."""
    extra = record["extra"]
    parts = [
        f"{name}={text_value(extra[name])}" for name in ("bot_id", "bot_name") if name in extra
    ]
    parts.append(record["message"])
    parts += [f"{name}={text_value(extra[name])}" for name in extra if name not in FIELDS]
    lines = [" ".join(parts), *traceback_text(record).splitlines()]
    # journalctl shows a message with a control character as "blob data".
    return "\n".join(one_line(line) for line in lines)


def _utf8(text: str) -> str:
    """``text`` without lone surrogates, which cannot be encoded."""
    return text.encode("utf-8", "backslashreplace").decode()


def _wait_at_most(connection: socket.socket, seconds: float) -> None:
    """Limit the time that a send waits for a journald that does not read.

    The kernel's own time-out: Python's would poll a socket that is not connected, which is ready
    even if the queue at the other end is full, and so spin.
    """
    if seconds < _LEAST_WAIT:
        connection.setblocking(False)
    else:
        whole, part = divmod(int(seconds * 1e6), 1_000_000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEVAL.pack(whole, part))
