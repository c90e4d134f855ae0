"""The records of the whole service, of all hosts: held bots, the halt, alerts that were sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, TypeAdapter, ValidationError

from execsvc.clock import iso, now
from execsvc.errors import LedgerFailed
from execsvc.store.halted import Halted, one_line
from execsvc.store.postgresql.remote import Remote

_SET = TypeAdapter(dict[str, bool])
_NOT_JSON = "the record is not JSON of ids and booleans"


class HeldBotsRecord:
    """Held bots by id; the value says whether the bot keeps its position.

    A decision changes the record as another host left it. While the record cannot be read,
    :meth:`suspect` is to be called for every known bot.
    """

    name = "held"

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._suspects: set[str] | None = None
        self._unwritten: dict[str, bool | None] = {}
        """The decisions that are not recorded; None: forget the bot."""
        self.damage: str | None = None
        """The reason why the record could not be read, None when it could be read."""
        self._bots: dict[str, bool] = {}
        try:
            self._bots = held_bots(remote.get(self.name))
        except LedgerFailed as error:
            self.damage = str(error)

    @property
    def bots(self) -> Mapping[str, bool]:
        """The held bots by id; the value is True for a bot that keeps its position."""
        return self._bots

    def suspect(self, bot_ids: Iterable[str]) -> None:
        """Hold these bots with their positions, as the record that may name them cannot be read."""
        self._suspects = set(bot_ids)
        self._bots.update(dict.fromkeys(self._suspects, True))

    def is_suspect(self, bot_id: str) -> bool:
        """True while the bot is held only because the record could not be read."""
        return self._suspects is not None and bot_id in self._suspects

    def add(self, bot_id: str, *, keeps: bool) -> None:
        """Hold ``bot_id``. Raises LedgerFailed when this could not be recorded."""
        self._decide(bot_id, keeps)

    def discard(self, bot_id: str) -> None:
        """Forget ``bot_id``, if it was held. Raises LedgerFailed when this could not be recorded."""
        if bot_id in self._bots or self.damage is not None:
            self._decide(bot_id, None)

    def write_again(self) -> None:
        """Record the decisions that could not be recorded when they were made. Raises LedgerFailed."""
        if self._unwritten:
            self._write()

    def _decide(self, bot_id: str, keeps: bool | None) -> None:
        if self._suspects is not None:
            self._suspects.discard(bot_id)
        _change(self._bots, bot_id, keeps)
        self._unwritten[bot_id] = keeps
        self._write()

    def _write(self) -> None:
        """Record the decisions, and take those of other hosts. Raises LedgerFailed."""
        while True:
            former = self._remote.get(self.name)
            recorded = held_bots(former)
            for bot_id, keeps in self._unwritten.items():
                _change(recorded, bot_id, keeps)
            if self._remote.replace(self.name, former, held_content(recorded)):
                break
        self._unwritten.clear()
        self._bots = {**recorded, **dict.fromkeys(self._suspects or (), True)}


def held_bots(content: bytes | None) -> dict[str, bool]:
    """The bots that the record of held bots names. Raises LedgerFailed."""
    try:
        return _SET.validate_json(content) if content else {}
    except ValidationError as error:
        raise LedgerFailed(_NOT_JSON) from error


def held_content(bots: Mapping[str, bool]) -> bytes:
    """The record of these held bots."""
    return _SET.dump_json(dict(bots))


def _change(bots: dict[str, bool], bot_id: str, keeps: bool | None) -> None:
    if keeps is None:
        bots.pop(bot_id, None)
    else:
        bots[bot_id] = keeps


class _Recorded(BaseModel):
    """The content of the record of the halt."""

    halted: Halted | None
    """None once the halt was ended."""
    host: str
    """The host that wrote this."""


def halt_content(halted: Halted | None, host: str) -> bytes:
    """The record of a halt, or of its end, by ``host``."""
    return _Recorded(halted=halted, host=host).model_dump_json().encode()


def is_halt(content: bytes | None) -> bool:
    """True for the record of a halt in force. Raises LedgerFailed."""
    found = _recorded(content)
    return found is not None and found.halted is not None


def _recorded(content: bytes | None) -> _Recorded | None:
    try:
        return _Recorded.model_validate_json(content) if content else None
    except ValidationError as error:
        raise LedgerFailed("the record is not JSON of a halt and a host") from error


class HaltRecord:
    """The halt of all trading on all hosts. A record that cannot be read counts as a halt at the start.

    The end of a halt on one host is its end on the others. Within a host it is the supervisor that ends
    it: an end by another process of the host is undone, as the removal of the file would be.
    """

    name = "halt"

    def __init__(self, remote: Remote, host: str) -> None:
        self._remote = remote
        self._host = host
        self.damage: str | None = None
        """The reason why the record could not be read, None when it could be read."""
        self.current: Halted | None = None
        """The halt in force, None when bots may trade."""
        try:
            found = self._read()
            self.current = None if found is None else found.halted
        except LedgerFailed as error:
            self.damage = str(error)
            self.current = Halted(since=iso(now()), reason=f"the halt cannot be read ({error})")

    def begin(self, reason: str | None) -> None:
        """Halt, from now on or with another reason. Raises LedgerFailed when it is not recorded.

        The halt is in force all the same then, until the service restarts.
        """
        before = self.current
        since = iso(now()) if before is None else before.since
        if before is not None and reason is None and self.damage is None:
            reason = before.reason
        self.current = Halted(since=since, reason=one_line(reason or "by an operator"))
        self._write(self.current)
        self.damage = None

    def refresh(self) -> bool:
        """Take a halt that another process recorded; a halt in force stays until :meth:`end`.

        Returns True when the record was missing in a halt and was made again. A record that cannot be
        read changes nothing. Raises LedgerFailed when the record cannot be written.
        """
        try:
            found = self._read()
        except LedgerFailed:
            return False
        is_ours = found is None or (found.halted is None and found.host == self._host)
        if self.damage is None and self.current is not None and is_ours:
            self._write(self.current)
            return True
        self.current, self.damage = None if found is None else found.halted, None
        return False

    def end(self) -> None:
        """Let bots trade again. Raises LedgerFailed, and then the halt stays in force."""
        self._write(None)
        self.current, self.damage = None, None

    def _write(self, halted: Halted | None) -> None:
        self._remote.put(self.name, halt_content(halted, self._host))

    def _read(self) -> _Recorded | None:
        return _recorded(self._remote.get(self.name))


class SentAlertsShared:
    """The document of the alerts that one host has sent."""

    place = "the shared records"

    def __init__(self, remote: Remote, host: str) -> None:
        self._remote = remote
        self.name = f"alerts {host}"
        """The name of the record."""

    def read(self) -> bytes | None:
        """The document as it was written last; None before the first. Raises LedgerFailed."""
        return self._remote.get(self.name)

    def write(self, content: bytes) -> None:
        """Replace the document. Raises LedgerFailed."""
        self._remote.put(self.name, content)
