"""The reports of a runner to its supervisor: one JSON line, each a full snapshot.

A line is at most ``PIPE_BUF`` (4096) bytes, so that a write to a pipe is whole or not at all, and a
pipe that is full drops the line: a runner never waits for its supervisor.
"""

from __future__ import annotations

import os
import select
from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from execsvc import exit_codes
from execsvc.clock import iso
from execsvc.model.market import plain
from execsvc.model.position import Position
from execsvc.model.result import Result
from execsvc.runner.counts import NOTHING, SIZE

SignalName = Literal["TERM", "INT", "USR2", "LIFELINE"]
"""The names of the signals that may end a runner."""
Number = Annotated[int, Field(ge=0, le=2**53)]
"""A whole number that a float can hold exactly."""
LARGEST_LINE = 4096
LONGEST_TEXT = 1000
"""Characters that are kept of an error or of the detail of an end."""
LONGEST_DETAIL = 200
"""Characters that are kept of the reason for which a guard is tripped, and of each of a strategy's
diagnostics."""


class EndKind(str, Enum):
    """The reasons for which a runner ends on purpose."""

    STOPPED = "STOPPED"
    """The stop was carried out to its end; the ledger says whether the position is flat."""
    HELD = "HELD"
    """Ended without selling, as asked."""
    FAILED = "FAILED"
    """The strategy kept raising, or the ledger is damaged; stopped as far as it could."""
    UNAVAILABLE = "UNAVAILABLE"
    """The ledger cannot be read or written at present: to be started again."""
    REFUSED = "REFUSED"
    """The configuration of the bot is refused."""
    CHECKED = "CHECKED"
    """A CHECK task found nothing wrong."""
    RESIDUE = "RESIDUE"
    """The stop was carried out, and a position is still open."""


EXIT_CODES = {
    EndKind.STOPPED: exit_codes.DONE,
    EndKind.HELD: exit_codes.DONE,
    EndKind.CHECKED: exit_codes.DONE,
    EndKind.FAILED: exit_codes.GAVE_UP,
    EndKind.UNAVAILABLE: exit_codes.NO_LEDGER,
    EndKind.RESIDUE: exit_codes.RESIDUE,
    EndKind.REFUSED: exit_codes.REFUSED,
}

CODE_MEANINGS = {
    exit_codes.DONE: "ended as asked: flat, or with its position kept",
    exit_codes.GAVE_UP: "given up: its strategy kept raising, or its ledger is damaged",
    exit_codes.NO_LEDGER: "its ledger cannot be read or written at present; it is started again",
    exit_codes.RESIDUE: "a position is still open",
    exit_codes.REFUSED: "the bot's configuration is refused",
}
"""Each of the codes with its meaning for an operator."""


class End(BaseModel):
    """The last report of a runner that ends on purpose; ``signal`` is the one that ended it."""

    model_config = ConfigDict(frozen=True)

    kind: EndKind
    signal: SignalName | None = None
    detail: str = ""


def shown(position: Position) -> dict[str, str | None]:
    """``position`` as ``/status`` shows it: decimal strings, times ISO 8601 in UTC."""
    flat = position.side is None
    return {
        "side": position.side,
        "tracked": plain(position.tracked),
        "sold_short": plain(position.sold_short),
        "entry_price": None
        if flat or position.entry_price is None
        else plain(position.entry_price),
        "opened_at": None if flat or position.opened_at is None else iso(position.opened_at),
    }


class Snapshot(BaseModel):
    """The whole state of a runner. ``turn_wait`` is in seconds, since the process started."""

    model_config = ConfigDict(frozen=True)

    phase: Literal["BOOTING", "RUNNING", "STOPPING"] = "BOOTING"
    ticks: int = 0
    last_tick_at: str | None = None
    consecutive_errors: int = 0
    last_error: str | None = None
    position: dict[str, str | None] = shown(Position())
    result: Result | None = None
    """The realised result; None when it is unknown."""
    guards: list[dict[str, str]] = []
    """The guards that keep the bot from entering, as ``/status`` shows them."""
    on_stop: bool = False
    stopping_on: SignalName | None = None
    """The signal of the present stop; None while it runs, or when it stops by itself."""
    turn_wait: float = 0.0
    unread: float = 0.0
    """Seconds for which no tick could read its data; 0 when the last one could."""
    unjudged: float = 0.0
    """Seconds for which no check of the stop loss could tell whether it is reached; 0 when one
    could.
    """
    diagnostics: dict[str, str | bool] = {}
    """The strategy's report of its last tick, see ``strategies/diagnostics.py``."""
    contested: int = 0
    doubt: str | None = None
    """The reason for which the position may not be the bot's any more, while that waits for an
    operator.
    """
    liquidation_failed: bool = False
    counts: Annotated[tuple[Number, ...], Field(min_length=SIZE, max_length=SIZE)] = NOTHING
    """The counters of the process since it started, as runner/counts.py lays them out."""
    reported: int = 0
    """Rows for BotService that this process has put in its ledger."""
    end: End | None = None


def still_open(snapshot: Snapshot) -> str:
    """The reason for an open position after a stop, by the last report of its process."""
    return f"position is open: {snapshot.last_error}" if snapshot.last_error else "position is open"


def encode(snapshot: Snapshot) -> bytes:
    """``snapshot`` as one line of at most 4096 bytes; texts that are too long are cut."""
    longest = LONGEST_TEXT
    while len(line := _line(snapshot, longest)) > LARGEST_LINE and longest > 0:
        longest //= 2
    return line


def decode(line: bytes) -> Snapshot:
    """The snapshot that :func:`encode` wrote. Raises ValueError for anything else."""
    return Snapshot.model_validate_json(line)


def send(descriptor: int, snapshot: Snapshot) -> bool:
    """Write ``snapshot`` without waiting; False when the pipe is full or has no reader.

    ``descriptor`` is non-blocking, and stays so.
    """
    try:
        return os.write(descriptor, encode(snapshot)) > 0
    except (BlockingIOError, BrokenPipeError):
        return False


def send_last(descriptor: int, snapshot: Snapshot, patience: float = 2.0) -> bool:
    """Write the line that carries the end; waits up to ``patience`` seconds for space in the pipe.

    An end that is not reported counts as a crash, so this one line is worth a short wait.
    """
    if send(descriptor, snapshot):
        return True
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    return bool(poller.poll(patience * 1000)) and send(descriptor, snapshot)


def _line(snapshot: Snapshot, longest: int) -> bytes:
    changes: dict[str, object] = {
        "last_error": _cut(snapshot.last_error, longest),
        "guards": [
            {name: _cut(text, min(longest, LONGEST_DETAIL)) for name, text in guard.items()}
            for guard in snapshot.guards
        ],
        "diagnostics": {
            name: value if isinstance(value, bool) else _cut(value, min(longest, LONGEST_DETAIL))
            for name, value in snapshot.diagnostics.items()
        },
    }
    if snapshot.end is not None:
        detail = _cut(snapshot.end.detail, longest)
        changes["end"] = snapshot.end.model_copy(update={"detail": detail})
    return snapshot.model_copy(update=changes).model_dump_json().encode() + b"\n"


def _cut(text: str | None, longest: int) -> str | None:
    """At most ``longest`` characters of ``text``, and none that UTF-8 cannot write."""
    if text is None:
        return None
    short = text if len(text) <= longest else text[: max(longest - 1, 0)] + "…"
    return short.encode("utf-8", "replace").decode("utf-8")
