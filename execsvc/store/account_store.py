"""Interface of the records of one account: intents, the account's turn, expected balances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from execsvc.model.comparison import OpenPosition
from execsvc.model.order import Fill, Intent, OrderState
from execsvc.store.doubt import Doubt
from execsvc.store.orders import Expected, JournalRow

NEVER_PAUSED = float("-inf")
"""The seconds left of a pause that there was not."""


class Turn(Protocol):
    """The exclusive right to send an order for an account: one process at a time, of any bot."""

    def try_acquire(self) -> bool:
        """Take the turn if it is free; True when this process has it."""
        ...

    def release(self) -> None:
        """Release the turn."""
        ...

    def close(self) -> None:
        """Release the turn; this object does not take it again."""
        ...


class AccountPause(Protocol):
    """The times until which an account is to be left alone, shared by all processes of its bots.

    Asked before every call to the exchange, so an answer must be cheap. Raises LedgerFailed. A pause is
    written without a fence, as the longer one stays: a service that has lost the account can delay its
    successor by a pause that the exchange asked for, and can end none.
    """

    def remaining(self) -> float:
        """Seconds left of the pause; negative: seconds since it ended; -inf: there was none."""
        ...

    def pause(self, seconds: float) -> None:
        """Leave the account alone for ``seconds`` from now on; a longer pause in force stays."""
        ...

    def banned(self) -> float:
        """Seconds left of the ban, in the form of :meth:`remaining`."""
        ...

    def ban(self, seconds: float, why: str) -> None:
        """Read nothing for ``seconds`` from now on; the first process to record the ban logs it."""
        ...


class AccountStore(Protocol):
    """The records of one account, shared by the processes of its bots.

    The account is the unit of ownership: the service that has claimed it
    (:class:`execsvc.store.claims.AccountClaims`) is the only one to write here and to the stores of the
    account's bots. Every method raises LedgerFailed when the records cannot be read or written,
    LedgerUnavailable where it may succeed later. Every write raises ClaimLost, and changes nothing, once
    another service has claimed the account; what is recorded can still be read then.
    """

    key_id: str
    fence: int
    """The number of the claim under which these records were opened: once it is old, writes are refused."""
    turn: Turn

    def close(self) -> None:
        """Close the database and release the turn."""
        ...

    def check_claim(self) -> None:
        """Raise ClaimLost or LedgerUnavailable when no order may be sent for the account at present."""
        ...

    def may_decide(self, client_order_id: str) -> bool:
        """False while another host may still be sending this open order."""
        ...

    def begin(self, intent: Intent, in_orders: Mapping[str, Decimal] | None = None) -> None:
        """Record an intent that is about to be sent; ``in_orders``: the locked amount of each asset."""
        ...

    def unknown(
        self, client_order_id: str, ended_at: datetime, at_least: Decimal, why: str
    ) -> None:
        """Record that the request ended with the outcome of the order unknown."""
        ...

    def outcome(
        self,
        client_order_id: str,
        state: OrderState,
        fill: Fill,
        at: datetime,
        detail: str = "",
        expected: dict[str, Expected] | None = None,
    ) -> None:
        """Record the outcome of an order, and the balance expected after it."""
        ...

    def adopted(self, client_order_id: str) -> None:
        """Record that the ledger of the bot has the outcome."""
        ...

    def unsettled(self) -> JournalRow | None:
        """The order that is in flight or unsettled, of any bot."""
        ...

    def row(self, client_order_id: str) -> JournalRow:
        """The intent ``client_order_id``."""
        ...

    def last_executed(self) -> JournalRow | None:
        """The order that executed last, by the exchange's own answer; None before the first."""
        ...

    def to_adopt(self, bot_id: str) -> list[JournalRow]:
        """Settled orders of ``bot_id`` that its own ledger has not taken yet, oldest first."""
        ...

    def contested(self, bot_id: str) -> list[JournalRow]:
        """Orders of ``bot_id`` that wait for an operator's decision, oldest first."""
        ...

    def expected(self, asset: str) -> Expected | None:
        """The balance of ``asset`` that the account should hold; None before the first fill."""
        ...

    def fees_paid(self, asset: str, since: datetime) -> Decimal:
        """Units of ``asset`` that orders on other markets have paid as fees since then."""
        ...

    def locked(self) -> dict[str, Decimal]:
        """By asset, the amount locked when the order that filled it last was sent, as far as known."""
        ...

    def expected_amounts(self) -> dict[str, Decimal]:
        """By asset, the balance that its last known fill left, less fees paid since."""
        ...

    def forget_expected(self, symbol: str) -> None:
        """Expect nothing of the assets of ``symbol`` until its next fill."""
        ...

    def doubts(self) -> list[Doubt]:
        """The doubts that are not decided, oldest first."""
        ...

    def contested_positions(self) -> list[Doubt]:
        """The doubts that wait for an operator, oldest first."""
        ...

    def decisions(self) -> Mapping[str, int]:
        """The count of decisions on doubts, by bot."""
        ...

    def keep_doubts(
        self,
        found: Iterable[Doubt],
        start: str,
        compared: Iterable[str],
        decided: Mapping[str, int] | None = None,
    ) -> None:
        """Record the doubts that a comparison for this ``start`` of the service found, and its subjects.

        ``decided``: :meth:`decisions` before the comparison began. A doubt about a bot that was decided
        on since is not recorded: the decision, of an operator who saw an older doubt, stands.
        """
        ...

    def is_compared(self, subject: str, start: str) -> bool:
        """True once ``subject`` was compared for this start of the service."""
        ...

    def decide_doubts(self, bot_id: str) -> list[Doubt]:
        """Forget the doubts about ``bot_id``, as they are decided. Returns them."""
        ...

    def known_order(self, bot_id: str) -> datetime | None:
        """The time of the newest order of ``bot_id`` that is known, or that an operator has acknowledged."""
        ...

    def newest_booked(self, bot_id: str) -> tuple[str, datetime] | None:
        """The newest filled order of ``bot_id`` that its ledger once had: id and time sent."""
        ...

    def ask_release(self, bot_id: str, at: datetime) -> None:
        """Record the decision of an operator that missing coins of ``bot_id`` are gone."""
        ...

    def release_asked(self, bot_id: str) -> bool:
        """True while a release of ``bot_id`` by an operator is not carried out."""
        ...

    def release_done(self, bot_id: str) -> None:
        """Record that a release of ``bot_id`` by an operator was carried out."""
        ...

    def tracked_by_all(self, asset: str) -> Decimal:
        """Base units of ``asset`` that the account's bots track, with fills not yet in their ledgers.

        To be called by the holder of the turn. Raises LedgerFailed while the quantity is not certain:
        a ledger cannot be read, or a buy waits for the decision of an operator.
        """
        ...

    def not_to_be_spent(self, coin: str) -> Decimal:
        """Units of ``coin`` that bots of this account hold as a position, of the account's free balance.

        For the holder of the turn. Only ledgers of bots that ever bought ``coin`` here are opened: for
        the quote of most markets there is none. Raises LedgerFailed as :meth:`tracked_by_all` does.
        """
        ...

    def open_positions(self) -> list[OpenPosition]:
        """The open positions in the ledgers of bots that ever bought on the account, without dust.

        A damaged ledger is left out: its bot does not trade. Raises LedgerUnavailable while one is busy.
        """
        ...

    def is_of_another_machine(self) -> bool:
        """True when the state directory was last used on another machine."""
        ...
