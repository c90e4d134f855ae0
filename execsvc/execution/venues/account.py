"""An account as one of its bots sees it: the account's turn, and its balance."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from execsvc.clients.exchange_adapter import Throttle
from execsvc.clock import monotonic, seconds_since
from execsvc.errors import Banned, StopRequested, Unavailable
from execsvc.execution.exchange import Exchange
from execsvc.execution.ports import Services
from execsvc.model.balance import Balance
from execsvc.store.account_store import AccountStore

_LAG_POLL = 0.25
"""Seconds between two checks whether a balance shows the last fill."""
_READ_INTERVAL = 0.5
"""Seconds between two reads of a balance that is watched for some time."""
_LEAST_READS = 2
_TURN = "the account's turn"
_EXITS_FIRST = 1.0
"""Seconds that entries stay away after a pause, so that liquidations go first."""


class Account:
    """Turn-taking and balances of one account."""

    def __init__(
        self,
        services: Services,
        adapter: Exchange,
        journal: AccountStore,
        pause: Throttle,
    ) -> None:
        self.adapter = adapter
        self.journal = journal
        self._pause = pause
        self._waits = services.waits
        self._reporter = services.reporter
        self._window = services.settings.settlement_window

    @contextmanager
    def turn(self, exits: bool, outlasts_ban: bool = False) -> Iterator[None]:
        """Hold the account's turn for the length of the block.

        The wait for it is cut short by a stop (StopRequested); where the order ``exits``, only by
        one that holds. Raises Banned instead of a wait that may last for days, unless the turn
        ``outlasts_ban``.
        """
        with self._reporter.waiting_for_turn():
            while self._paused(exits, outlasts_ban) or not self.journal.turn.try_acquire():
                wait = random.uniform(0.01, 0.04) if exits else random.uniform(0.03, 0.1)
                self._waits.wait(wait, interruptible=not exits)
                if self._waits.stop is not None and self._waits.stop.hold:
                    raise StopRequested(self._waits.stop.signal)
        try:
            yield
        finally:
            self.journal.turn.release()

    @property
    def is_banned(self) -> bool:
        """True while nothing is read for the account but for exits."""
        return not self.adapter.is_exiting and self._pause.banned() > 0

    def balance(
        self, assets: tuple[str, str], exits: bool, others: Collection[str] = ()
    ) -> Balance:
        """The balance once it shows the effect of the last fill on ``assets``.

        The same holds for ``others``, as far as their rows can be read. A balance lags an execution
        by a second or two; read too early it would attribute another order's fill to the next
        order. Waits at most the settlement window since that fill, and since now. Raises
        Unavailable.
        """
        until = monotonic() + self._window
        while True:
            balance = self.adapter.balance(*assets)
            late = [asset for asset in assets if self._lags(asset, balance)]
            late += [asset for asset in others if self._lags_if_readable(asset, balance)]
            if not late or monotonic() >= until:
                return balance
            self._reporter.update(
                last_error=f"waiting for the balance of {', '.join(late)} to show the last fill"
            )
            self._waits.wait(_LAG_POLL, interruptible=not exits)

    def balances(self, assets: tuple[str, str], exits: bool) -> Iterator[Balance]:
        """The balance again and again for the length of the settlement window, twice at least.

        Raises Unavailable.
        """
        until, reads = monotonic() + self._window, 0
        while reads < _LEAST_READS or monotonic() < until:
            self._waits.wait(_READ_INTERVAL, interruptible=not exits)
            yield self.adapter.balance(*assets)
            reads += 1

    def _lags(self, asset: str, balance: Balance) -> bool:
        expected = self.journal.expected(asset)
        if expected is None or expected.filled is None:
            return False
        if seconds_since(expected.filled) >= self._window:
            return False
        return not expected.agrees(balance.free(asset))

    def _lags_if_readable(self, asset: str, balance: Balance) -> bool:
        try:
            return self._lags(asset, balance)
        except Unavailable:
            return False

    def _paused(self, exits: bool, outlasts_ban: bool) -> bool:
        if self.is_banned:
            if not outlasts_ban:
                left = self._pause.banned()
                raise Banned(f"{_TURN}: banned by the exchange for another {left:.0f} s", left)
            return True
        left = self._pause.remaining()
        return left > 0 if exits else left > -_EXITS_FIRST
