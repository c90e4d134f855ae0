"""Leases of hosts and claims on accounts, as PostgreSQL decides them: a statement of ``leases.sql`` each.

Every call raises LedgerUnavailable when the database does not answer; WriteUnknown, which is one, when the
statement may have been carried out. The next beat then tells how things are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import datetime, timezone
from typing import NamedTuple, NoReturn, TypeAlias

from execsvc.errors import ConfigRefused, LedgerFailed, LedgerUnavailable
from execsvc.hosts.membership import AcknowledgeTimeline, DistrustTimeline
from execsvc.hosts.placement import ReleaseAccount, TakeAccount
from execsvc.hosts.rows import AccountRecord, BeatAnswer, HostRecord, OpenIntent
from execsvc.hosts.takeover import (
    BeginJoin,
    CloseEpoch,
    ExpireHost,
    FinishJoin,
    TerminateBackends,
)
from execsvc.hosts.timing import Timing
from execsvc.store.postgresql import schema
from execsvc.store.postgresql.connection import (
    ANSWER_SECONDS,
    DatabaseConnection,
    StatementRefused,
)

_DISAGREEMENT = frozenset({"EX001", "EX002"})
_TERMINATE_SECONDS = 1.0
_NO_ROW = "-1"

LeaseStep: TypeAlias = (
    "AcknowledgeTimeline | DistrustTimeline | ExpireHost | TerminateBackends | CloseEpoch"
    " | BeginJoin | FinishJoin | TakeAccount | ReleaseAccount"
)


def connection_name(host_id: str) -> str:
    """The name that every connection of a host shows; peers end connections by it."""
    return f"execsvc {hashlib.sha256(host_id.encode()).hexdigest()[:32]}"


class Evidence(NamedTuple):
    """An outcome of an order that its host could not record under a claim."""

    client_order_id: str
    content: str
    """JSON."""


class Leases:
    """The calls of one life of the service on one host, over one connection."""

    def __init__(
        self, connection: DatabaseConnection, host_id: str, incarnation: str, epoch: int = 0
    ) -> None:
        self._connection = connection
        self.host_id = host_id
        self.incarnation = incarnation
        self.epoch = epoch
        """The epoch of the lease; 0 before the host has joined."""

    def agree(self, timing: Timing) -> None:
        """Take the times that all hosts have to have in common; to be called before the host joins.

        Raises ConfigRefused when others have other times, or the tables have another version.
        """
        times = map(
            repr, (float(timing.order_timeout), float(timing.settlement_window), float(timing.ttl))
        )
        statement = "SELECT agree($1, $2::integer, $3::float8, $4::float8, $5::float8)"
        self._rows(statement, self.host_id, str(schema.VERSION), *times)

    def beat(self, pids: Collection[int] = (), timeout: float = ANSWER_SECONDS) -> BeatAnswer:
        """Prolong the lease, and tell the backend pids of the host's connections; read all rows.

        The answer is awaited for ``timeout`` seconds. The lease counts from before this call.
        """
        values = (self.host_id, self.incarnation, str(self.epoch), _array(pids))
        return _beat_answer(
            self._one("SELECT beat($1, $2, $3::bigint, $4::integer[])", *values, timeout=timeout)
            or ""
        )

    def execute(self, step: LeaseStep, timeline: int) -> bool:
        """Carry out ``step`` if the database writes on ``timeline``. False when that was refused.

        A finished join sets ``epoch``.
        """
        line = str(timeline)
        match step:
            case AcknowledgeTimeline(timeline=seen, former=former):
                done = self._is("acknowledge_timeline", line, str(seen), str(former))
            case DistrustTimeline(timeline=seen):
                done = self._is("acknowledge_timeline", line, "0", str(seen))
            case ExpireHost(host_id=peer, incarnation=run, epoch=epoch, beat=beat):
                done = self._is("expire_host", line, peer, run, str(epoch), str(beat))
            case TerminateBackends(host_id=peer):
                done = self.terminate(peer, timeline, _TERMINATE_SECONDS) == 0
            case CloseEpoch(host_id=peer, epoch=epoch):
                done = self._is("close_epoch", line, peer, str(epoch))
            case BeginJoin(
                host_id=own, incarnation=run, former_incarnation=last, former_epoch=epoch
            ):
                done = self._is("begin_join", line, own, run, last, str(epoch))
            case FinishJoin(host_id=own, incarnation=run, epoch=epoch):
                done = self._is("finish_join", line, own, run, str(epoch))
                self.epoch = epoch + 1 if done else self.epoch
            case TakeAccount(key_id=key, row=row, epoch=epoch):
                done = self._take(line, key, row, epoch)
            case ReleaseAccount(row=row):
                values = (row.key_id, row.owner or "", str(row.owner_epoch), str(row.fence))
                done = self._is("release_account", line, *values)
        return done

    def terminate(self, host_id: str, timeline: int, seconds: float) -> int:
        """End all connections of a host whose epoch is being closed, but this one; each ends in ``seconds``.

        Returns the count of those that are still there, -1 when the epoch is not being closed.
        """
        statement = "SELECT terminate_backends($1::bigint, $2, $3::bigint)"
        milliseconds = str(round(seconds * 1000))
        return int(self._one(statement, str(timeline), host_id, milliseconds) or 0)

    def drain(self, draining: bool) -> bool:
        """Say whether the host hands over its accounts. False when the lease is over."""
        return self._is("drain", *self._lease(), str(draining).lower())

    def leave(self) -> bool:
        """End the host's own lease, after its last write. False when the lease was over."""
        return self._is("leave", *self._lease())

    def add_evidence(self, key_id: str, evidence: Evidence) -> None:
        """Keep an outcome of an order; never refused, as outcomes are facts."""
        statement = "INSERT INTO evidence (host_id, key_id, client_order_id, content) VALUES ($1, $2, $3, $4)"
        self._rows(statement, self.host_id, key_id, *evidence)

    def evidence(self, key_id: str) -> list[Evidence]:
        """All evidence about orders of an account, oldest first."""
        statement = "SELECT client_order_id, content FROM evidence WHERE key_id = $1 ORDER BY id"
        return [
            Evidence(str(order), str(content)) for order, content in self._rows(statement, key_id)
        ]

    def forget_writes(self) -> int:
        """Forget the ids of writes of more than 7 days ago. Returns their count."""
        return int(self._one("SELECT forget_writes()") or 0)

    def _take(self, line: str, key_id: str, row: AccountRecord | None, epoch: int) -> bool:
        statement = (
            "SELECT take_account($1::bigint, $2, $3, $4, $5::bigint, $6, $7::bigint, $8::bigint)"
        )
        own = (line, key_id, self.host_id, self.incarnation, str(epoch))
        if row is None:
            return self._one(statement, *own, None, "0", _NO_ROW) == "t"
        return self._one(statement, *own, row.owner, str(row.owner_epoch), str(row.fence)) == "t"

    def _lease(self) -> tuple[str, str, str]:
        return self.host_id, self.incarnation, str(self.epoch)

    def _is(self, function: str, *values: str) -> bool:
        """The answer of a function of ``leases.sql``; its own types say what each value is."""
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        return self._one(f"SELECT {function}({places})", *values) == "t"

    def _one(
        self, statement: str, *values: str | None, timeout: float = ANSWER_SECONDS
    ) -> str | None:
        return self._rows(statement, *values, timeout=timeout)[0][0]

    def _rows(
        self, statement: str, *values: str | None, timeout: float = ANSWER_SECONDS
    ) -> list[tuple[str | None, ...]]:
        try:
            return self._connection.call(statement, values, timeout).rows
        except StatementRefused as error:
            _refuse(error)


def _refuse(error: StatementRefused) -> NoReturn:
    if error.sqlstate in _DISAGREEMENT:
        raise ConfigRefused(str(error)) from error
    kind = LedgerUnavailable if error.passes else LedgerFailed
    raise kind(f"PostgreSQL: {error}") from error


def _array(numbers: Collection[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _beat_answer(text: str) -> BeatAnswer:
    document = json.loads(text)
    return BeatAnswer(
        accepted=document["accepted"],
        now=_moment(document["now"]),
        timeline=document["timeline"],
        acknowledged=document["acknowledged"],
        lsn=document["lsn"],
        hosts=tuple(
            HostRecord(
                host_id, run, epoch, closing, beat, _moment(expires_at), tuple(pids), draining
            )
            for host_id, run, epoch, closing, beat, expires_at, pids, draining in document["hosts"]
        ),
        accounts=tuple(AccountRecord(*row) for row in document["accounts"]),
        intents=tuple(
            OpenIntent(key_id, order, state, _moment(at))
            for key_id, order, state, at in document["intents"]
        ),
    )


def _moment(seconds: float) -> datetime:
    """A time of the database, exact to the microsecond."""
    return datetime.fromtimestamp(seconds, timezone.utc)
