"""The records of the service that concern bots: ledgers, held bots, the halt, claims of accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from execsvc.errors import LedgerFailed
from execsvc.store.bot_state import LedgerState
from execsvc.store.claims import AccountClaims
from execsvc.store.service_store import Halt, HeldBots
from execsvc.store.store import Store


class Ledgers(Protocol):
    """The reads of ledgers by the supervisor."""

    def read(self, bot_id: str) -> LedgerState | None:
        """The state of one bot; None when the bot has no ledger. Raises LedgerFailed."""
        ...

    def read_named(self, name: str) -> LedgerState | None:
        """The state of one bot, by the name of its records in the store. Raises LedgerFailed."""
        ...

    def survey(self) -> tuple[list[LedgerState], dict[str, LedgerFailed]]:
        """Every readable state, and the faults of the unreadable ledgers by their names."""
        ...


@dataclass
class Records:
    """The records of the service, as they are read at its start and written from then on."""

    store: Store
    ledgers: Ledgers
    held: HeldBots = field(init=False)
    halt: Halt = field(init=False)
    accounts: AccountClaims = field(init=False)

    def __post_init__(self) -> None:
        self.held, self.halt = self.store.held(), self.store.halt()
        self.accounts = self.store.claims()

    @property
    def halted(self) -> bool:
        """True while the kill switch is on."""
        return self.halt.current is not None
