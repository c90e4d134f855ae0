"""The statements that a broker makes of requests, and the replies that it makes of answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from execsvc.store.postgresql.connection import Answer, StatementRefused
from execsvc.store.postgresql.wire import Garbled, Message, Operation, Status, parted

MOST_WRITES = 500
MOST_BYTES = 1 << 22
"""Writes, and bytes of them, that are sent as one statement; a larger write is sent by itself."""
_COUNTS = {
    Operation.WRITE: 3,
    Operation.WRITTEN: 2,
    Operation.READ: 3,
    Operation.OWNERS: 2,
    Operation.PUT: 2,
    Operation.REPLACE: 2,
    Operation.GET: 2,
}
"""The count of words of each request."""
_OWNERS = {
    "bot": "SELECT json_agg(owner ORDER BY owner) FROM bot_bot",
    "account": "SELECT json_agg(owner ORDER BY owner) FROM account_account",
}
_REASONS = {
    "lost": (Status.LOST, "the claim on the account, or the lease of this host, is lost"),
    "expired": (
        Status.UNAVAILABLE,
        "the lease of this host has run out: nothing is recorded until its next beat",
    ),
    "frozen": (
        Status.UNAVAILABLE,
        "PostgreSQL was replaced by a standby: nothing is recorded until every order from before is settled",
    ),
}
_BROKEN = {
    "account_intent_open": "the account has an open order already",
    "written_pkey": "the write was given up before it arrived",
}


class Request(NamedTuple):
    """One call of a process of this host."""

    client: int
    """The descriptor of its connection."""
    operation: Operation
    words: list[str]
    """The arguments."""
    body: bytes
    arrived: float
    """Monotonic seconds."""

    @property
    def subject(self) -> tuple[str, ...] | None:
        """The records that a write is of; None when the request is no write."""
        return tuple(self.words) if self.operation is Operation.WRITE else None

    @property
    def changes(self) -> bool:
        """True when a lost answer leaves open whether something was recorded."""
        return self.operation in (Operation.WRITE, Operation.PUT, Operation.REPLACE)


def request(client: int, message: Message, arrived: float) -> Request:
    """The request in ``message``. Raises Garbled."""
    try:
        operation = Operation(message.words[0])
    except ValueError:
        raise Garbled(f"no such operation: {message.words[0]!r}") from None
    if len(message.words) != _COUNTS[operation]:
        raise Garbled(f"{operation.value} with {len(message.words) - 1} arguments")
    if operation is Operation.REPLACE:
        parted(message.body)
    if operation is Operation.OWNERS and message.words[1] not in _OWNERS:
        raise Garbled(f"owners of {message.words[1]!r}")
    return Request(client, operation, message.words[1:], message.body, arrived)


def choose(waiting: Sequence[Request]) -> list[Request]:
    """The requests that the next statement carries out: the first one, and with a write other writes.

    No two are of the same records: a statement keeps one state of a row.
    """
    first = waiting[0]
    if first.subject is None:
        return [first]
    chosen, subjects, size = [first], {first.subject}, len(first.body)
    blocked: set[tuple[str, ...]] = set()
    for each in islice(waiting, 1, None):
        if len(chosen) == MOST_WRITES:
            break
        if each.subject is None or each.subject in subjects or each.subject in blocked:
            continue
        if size + len(each.body) > MOST_BYTES:
            blocked.add(
                each.subject
            )  # a later write of the same records must not overtake this one
            continue
        chosen.append(each)
        subjects.add(each.subject)
        size += len(each.body)
    return chosen


def statement(
    host_id: str, incarnation: str, job: list[Request]
) -> tuple[str, Sequence[str | None]]:
    """The statement that carries out ``job``, and its values."""
    first, own = job[0], [host_id, incarnation]
    match first.operation:
        case Operation.WRITE:
            batch = b"[" + b",".join(each.body for each in job) + b"]"
            return "SELECT unnest(write_batch($1, $2, $3::jsonb))", [*own, batch.decode()]
        case Operation.WRITTEN:
            return "SELECT was_written($1)", first.words
        case Operation.READ:
            return "SELECT name, content FROM read_rows($1, $2)", first.words
        case Operation.OWNERS:
            return _OWNERS[first.words[0]], []
        case Operation.PUT | Operation.REPLACE:
            return _change_of_record(own, first)
        case Operation.GET:
            return "SELECT content FROM service_record WHERE name = $1", first.words


def replies(job: list[Request], answer: Answer) -> list[Message]:
    """The reply to each request of ``job``."""
    rows = answer.rows
    match job[0].operation:
        case Operation.WRITE | Operation.PUT | Operation.REPLACE:
            return [_reply_to_write(str(row[0])) for row in rows]
        case Operation.WRITTEN:
            return [_done(str(rows[0][0]).encode())]
        case Operation.READ:
            parts = ",".join(f'"{name}":{content}' for name, content in rows)
            return [_done(f"{{{parts}}}".encode())]
        case Operation.OWNERS:
            return [_done((rows[0][0] or "[]").encode())]
        case Operation.GET:
            # One byte before the content: no content is not the same as no record.
            return [_done(b"=" + bytes.fromhex(str(rows[0][0])[2:]) if rows else b"")]


def refusal(error: StatementRefused) -> Message:
    """The reply to a request that PostgreSQL certainly did not carry out."""
    status = Status.UNAVAILABLE if error.passes else Status.FAILED
    return Message([status.value, f"PostgreSQL: {_BROKEN.get(error.constraint, error)}"])


def _reply_to_write(word: str) -> Message:
    if word in ("recorded", "changed"):
        return _done(b"t" if word == "recorded" else b"f")
    status, text = _REASONS[word]
    return Message([status.value, text])


def _change_of_record(own: list[str], asked: Request) -> tuple[str, Sequence[str | None]]:
    """The statement that keeps a record of the whole service, and its values."""
    named = [*own, asked.words[0]]
    if asked.operation is Operation.PUT:
        return "SELECT put_record($1, $2, $3, $4::bytea)", [*named, _bytea(asked.body)]
    former, content = parted(asked.body)
    values = [*named, None if former is None else _bytea(former), _bytea(content)]
    return "SELECT replace_record($1, $2, $3, $4::bytea, $5::bytea)", values


def _bytea(content: bytes) -> str:
    return f"\\x{content.hex()}"


def _done(body: bytes = b"") -> Message:
    return Message([Status.DONE.value], body)
