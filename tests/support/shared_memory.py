"""Shared records in memory, for tests of what a host does about each answer that it may get."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from enum import Enum

from support.claimed_memory import ServiceClaims, SharedClaims

from execsvc.errors import ClaimLost, LedgerUnavailable, WriteUnknown
from execsvc.store.postgresql.remote import Kind, Row, Write


class Fault(Enum):
    """One way in which the shared records do not answer as they should."""

    REFUSED = "the claim is refused, although the host does not know that it is lost"
    NOT_REACHED = "certainly not recorded"
    LOST_REQUEST = "not recorded, without an answer"
    LOST_ANSWER = "recorded, without an answer"


class SharedMemory:
    """Rows of bots and accounts, each write checked against the claims of all hosts."""

    def __init__(self) -> None:
        self.claims = SharedClaims()
        self.rows: dict[tuple[Kind, str], dict[str, dict[Row, Row]]] = {}
        self.contents: dict[str, bytes] = {}
        self.writes: list[Write] = []
        """The writes that are recorded, oldest first."""
        self.fault: Fault | None = None
        self.is_cut_off = False
        """True while no question is answered either."""
        self.before_answer: Callable[[], None] = lambda: None
        self.before_replacing: Callable[[], None] = lambda: None
        self._never: set[str] = set()

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Answer each write with ``fault`` for the length of a block."""
        self.fault = fault
        try:
            yield
        finally:
            self.fault = None

    def write(self, write: Write) -> None:
        """Record ``write``, or fail as told."""
        if self.fault is Fault.NOT_REACHED or self.is_cut_off:
            raise LedgerUnavailable("the shared records cannot be reached")
        if self.fault is Fault.LOST_REQUEST or write.write_id in self._never:
            raise WriteUnknown("no answer")
        if self.fault is Fault.REFUSED:
            raise ClaimLost("the claim is lost")
        if write.key_id:
            self.claims.check(write.key_id, write.fence)
        tables = self.rows.setdefault((write.kind, write.owner), defaultdict(dict))
        for image in write.rows:
            tables[image.table].pop(image.key, None)
        for image in write.rows:
            if image.row is not None:
                tables[image.table][image.key] = image.row
        for table in tables.values():
            assert len({row[0] for row in table.values()}) == len(table), "a rowid is unique"
        self.writes.append(write)
        self.before_answer()
        if self.fault is Fault.LOST_ANSWER:
            raise WriteUnknown("no answer")

    def written(self, write_id: str) -> bool:
        """True when that write was recorded; else it never will be."""
        self._reach()
        if any(write.write_id == write_id for write in self.writes):
            return True
        self._never.add(write_id)
        return False

    def read(self, kind: Kind, owner: str) -> dict[str, list[Row]]:
        """All rows by table."""
        self._reach()
        tables = self.rows.get((kind, owner), {})
        return {
            name: sorted(table.values(), key=lambda row: int(row[0] or 0))
            for name, table in tables.items()
            if table
        }

    def owners(self, kind: Kind) -> list[str]:
        """All bots or accounts that have records."""
        self._reach()
        return sorted(owner for known, owner in self.rows if known == kind)

    def put(self, name: str, content: bytes) -> None:
        """Keep a record of the service."""
        self._reach()
        self.contents[name] = content

    def replace(self, name: str, former: bytes | None, content: bytes) -> bool:
        """Keep a record of the service that is still ``former``."""
        self._reach()
        self.before_replacing()
        if self.contents.get(name) != former:
            return False
        self.contents[name] = content
        return True

    def get(self, name: str) -> bytes | None:
        """A record of the service."""
        self._reach()
        return self.contents.get(name)

    def _reach(self) -> None:
        if self.is_cut_off:
            raise LedgerUnavailable("the shared records cannot be reached")


class MemoryClaims(ServiceClaims):
    """The claims of one host on the accounts of shared records in memory."""

    def __init__(self, shared: SharedMemory) -> None:
        super().__init__(shared.claims)
        self._memory = shared

    def check(self, key_id: str, fence: int) -> None:
        """Raise ClaimLost when the account was claimed by another host since."""
        self.shared.check(key_id, fence)

    def may_decide(self, client_order_id: str) -> bool:
        """True: no host of these records dies while one of its orders is open."""
        return True

    def unusable(self) -> str | None:
        """None: claims can be made."""
        return None

    def may_be_run_elsewhere(self, key_id: str, bot_id: str) -> bool:
        """False when the host that has claimed the account certainly does not run ``bot_id``."""
        return key_id in self.elsewhere() and ("bot", bot_id) in self._memory.rows

    def held_elsewhere(self, bot_ids: Collection[str]) -> set[str]:
        """Those of the bots that hold a position on an account which another host has claimed."""
        theirs = self.elsewhere()
        return {bot_id for bot_id in bot_ids if theirs & self._held_on(bot_id)}

    def _held_on(self, bot_id: str) -> set[str]:
        """The accounts on which the bot tracks or owes coins."""
        positions = self._memory.read("bot", bot_id).get("position", [])
        return {str(row[2]) for row in positions if row[5] != "0" or row[6] != "0"}
