"""Interfaces of the process that an order is placed in: record, reporter, waits."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol

from execsvc.events import EventName
from execsvc.model.bot import Mode
from execsvc.model.order import Fill, Intent, Side
from execsvc.model.position import Position
from execsvc.store.bot_store import BotStore
from execsvc.store.orders import OrderRow

LiquidationResult = Literal["closed", "failed"]


class ExecutionSettings(NamedTuple):
    """The settings that the way of an order goes by, with their defaults. Times in seconds."""

    order_timeout: float = 30.0
    settlement_window: float = 10.0
    gone_after: float = 600.0
    liquidation_attempts: int = 5
    liquidation_backoff: float = 1.0


DEFAULTS = ExecutionSettings()


class RecordPort(Protocol):
    """The execution log of the bot. None of its methods raises."""

    def log(self, level: str, event: EventName, text: str, **data: Any) -> None:
        """Write one line at ``level``."""
        ...

    def intent(self, intent: Intent) -> None:
        """Record that an order is about to be sent."""
        ...

    def priced(self, intent: Intent, fill: Fill) -> None:
        """Record the source of the price of an order whose answer stated no price."""
        ...

    def outcome(self, order: OrderRow) -> None:
        """Record the outcome of an order."""
        ...


class CountsPort(Protocol):
    """The counters of the process."""

    def order(self, mode: Mode, order: OrderRow) -> None:
        """Count an order that is booked for the first time."""
        ...

    def order_unknown(self, side: Side) -> None:
        """Count an order whose answer did not state its outcome."""
        ...

    def settled(self, order: OrderRow) -> None:
        """Count an order of unknown outcome that was decided."""
        ...

    def liquidation_attempt(self) -> None:
        """Count one attempt to sell an open position."""
        ...

    def liquidation(self, result: LiquidationResult) -> None:
        """Count the end of all attempts at one position, by ``result``."""
        ...


class ReporterPort(Protocol):
    """The state of the bot, as it is reported to the supervisor."""

    @property
    def counts(self) -> CountsPort:
        """The counters of the process."""
        ...

    @property
    def last_error(self) -> str | None:
        """The last error that was reported."""
        ...

    def update(self, **changes: Any) -> None:
        """Report ``changes``."""
        ...

    def show_position(self, position: Position, **changes: Any) -> None:
        """Report ``position``, with ``changes``."""
        ...

    def waiting_for_turn(self) -> AbstractContextManager[None]:
        """Count the time of a block as waiting for the account's turn."""
        ...


class StopPort(Protocol):
    """A stop that the process was asked for."""

    @property
    def signal(self) -> str:
        """The signal's name."""
        ...

    @property
    def hold(self) -> bool:
        """True when the position is kept."""
        ...


class WaitsPort(Protocol):
    """Waits that a stop can cut short."""

    @property
    def stop(self) -> StopPort | None:
        """The stop that was asked for."""
        ...

    def wait(self, seconds: float, interruptible: bool = True) -> None:
        """Wait ``seconds``. Raises StopRequested."""
        ...

    def handle_signals(self, seconds: float = 0.0, interruptible: bool = True) -> None:
        """Handle the signals that come within ``seconds``. Raises StopRequested."""
        ...

    def uninterrupted(self) -> AbstractContextManager[None]:
        """A block that a stop does not cut short."""
        ...


class Services(Protocol):
    """The bot's ledger, its record and reports, its waits, and the settings of its orders."""

    @property
    def bot_id(self) -> str:
        """The id of the bot that this process runs."""
        ...

    @property
    def ledger(self) -> BotStore:
        """The bot's ledger, which this process owns."""
        ...

    @property
    def record(self) -> RecordPort:
        """The bot's execution log."""
        ...

    @property
    def reporter(self) -> ReporterPort:
        """The bot's reporter."""
        ...

    @property
    def waits(self) -> WaitsPort:
        """The bot's waits."""
        ...

    @property
    def settings(self) -> ExecutionSettings:
        """The settings of the bot's orders."""
        ...
