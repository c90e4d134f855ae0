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
from execsvc.model.order import Purpose
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
    def turn(self, purpose: Purpose) -> Iterator[None]:
        """Hold the account's turn for the length of the block, for an order of ``purpose``.

        The wait for it is cut short by a stop (StopRequested); that of a liquidation only by one
        that holds. Raises Banned instead of a wait that may last for days.
        """
        with self._reporter.waiting_for_turn():
            self._refuse_if_banned()
            while not self._take_turn(purpose):
                self._wait_for_turn(purpose)
                self._refuse_if_banned()
        try:
            yield
        finally:
            self.journal.turn.release()

    @contextmanager
    def turn_after_ban(self, purpose: Purpose) -> Iterator[None]:
        """As :meth:`turn`, with a wait for the end of a ban, however long."""
        with self._reporter.waiting_for_turn():
            while self.is_banned or not self._take_turn(purpose):
                self._wait_for_turn(purpose)
        try:
            yield
        finally:
            self.journal.turn.release()

    @property
    def is_banned(self) -> bool:
        """True while nothing is read for the account but for exits."""
        return not self.adapter.is_exiting and self._pause.banned() > 0

    def balance(
        self, assets: tuple[str, str], purpose: Purpose, others: Collection[str] = ()
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
            self._waits.wait(_LAG_POLL, interruptible=not purpose.outlasts_stop)

    def balances(self, assets: tuple[str, str], purpose: Purpose) -> Iterator[Balance]:
        """The balance again and again for the length of the settlement window, twice at least.

        Raises Unavailable.
        """
        until, reads = monotonic() + self._window, 0
        while reads < _LEAST_READS or monotonic() < until:
            self._waits.wait(_READ_INTERVAL, interruptible=not purpose.outlasts_stop)
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

    def _refuse_if_banned(self) -> None:
        if self.is_banned:
            left = self._pause.banned()
            raise Banned(f"{_TURN}: banned by the exchange for another {left:.0f} s", left)

    def _take_turn(self, purpose: Purpose) -> bool:
        """True when this process has the turn now; False during a pause, or when another has it."""
        left = self._pause.remaining()
        is_paused = left > 0 if purpose.outlasts_stop else left > -_EXITS_FIRST
        return not is_paused and self.journal.turn.try_acquire()

    def _wait_for_turn(self, purpose: Purpose) -> None:
        first = purpose.outlasts_stop
        wait = random.uniform(0.01, 0.04) if first else random.uniform(0.03, 0.1)
        self._waits.wait(wait, interruptible=not purpose.outlasts_stop)
        if self._waits.stop is not None and self._waits.stop.hold:
            raise StopRequested(self._waits.stop.signal)
