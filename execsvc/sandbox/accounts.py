"""One account of the sandbox's exchange: its balances, its orders, and its balance reads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from execsvc.model.market import ZERO
from execsvc.model.order import Fill, Side
from execsvc.paper.account import PaperAccount


@dataclass
class OrderRecord:
    """One order as it came in, and its outcome. Its account's lock guards it."""

    order_id: str
    client_order_id: str | None
    key_id: str
    symbol: str
    side: Side
    amount: Decimal
    received_at: datetime
    fills: list[Fill] = field(default_factory=list)
    executed_at: datetime | None = None
    expires_at: datetime | None = None
    """The time after which no more of it is executed; None: never."""
    coin_fee: tuple[str, Decimal] | None = None
    """The fee where it was taken in a third coin, with the name of that coin."""
    refused: str | None = None
    resends: int = 0
    fault: str | None = None
    answered: str | None = None
    answered_at: datetime | None = None

    @property
    def filled(self) -> Decimal:
        """Base units filled so far."""
        return sum((fill.filled for fill in self.fills), ZERO)

    @property
    def cost(self) -> Decimal:
        """Quote that changed hands so far."""
        return sum((fill.cost or ZERO for fill in self.fills), ZERO)

    @property
    def base_fee(self) -> Decimal:
        """Fees taken in base so far."""
        return sum((fill.base_fee or ZERO for fill in self.fills), ZERO)

    @property
    def quote_fee(self) -> Decimal:
        """Fees taken in quote so far."""
        return sum((fill.quote_fee for fill in self.fills), ZERO)

    def postpone(self, seconds: float) -> None:
        """Let the order expire so much later: a fault delays its execution on purpose."""
        if self.expires_at is not None:
            self.expires_at += timedelta(seconds=seconds)

    @property
    def cause(self) -> str:
        """The name of this order in the movements of its account."""
        return f"order {self.client_order_id or self.order_id}"


class ExchangeAccount:
    """Balances and orders of one key. ``lock`` makes an execution one step for every reader."""

    def __init__(self, balances: Mapping[str, Decimal]) -> None:
        self.lock = threading.Lock()
        self.paper = PaperAccount(balances)
        self.orders: list[OrderRecord] = []
        self._shown_at: list[datetime] = []
        self._longest_lag = timedelta(0)

    def delay_movements(self, lag: float) -> None:
        """Show the movements since the last call only ``lag`` seconds after they happened."""
        delay = timedelta(seconds=lag)
        self._longest_lag = max(self._longest_lag, delay)
        for movement in self.paper.movements[len(self._shown_at) :]:
            self._shown_at.append(movement.at + delay)

    def shown(self, now: datetime, lag: float = 0.0) -> dict[str, tuple[Decimal, Decimal]]:
        """Free and locked of each asset as a balance read shows them.

        That is without movements that are not to be seen yet, and as of ``lag`` seconds ago.
        """
        behind = timedelta(seconds=lag)
        oldest = now - max(self._longest_lag, behind)
        free = {asset: self.paper.free(asset) for asset in self.paper.assets}
        locked = {asset: self.paper.locked(asset) for asset in self.paper.assets}
        pairs = zip(reversed(self.paper.movements), reversed(self._shown_at), strict=True)
        for movement, shown_at in pairs:
            if movement.at < oldest:
                break
            if max(shown_at, movement.at + behind) > now:
                free[movement.asset] -= movement.free_after - movement.free_before
                locked[movement.asset] -= movement.locked_after - movement.locked_before
        return {asset: (max(free[asset], ZERO), max(locked[asset], ZERO)) for asset in free}
