"""The zero position policy: sell whatever the bot bought, no matter what its strategy did."""

from __future__ import annotations

from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from execsvc.clock import now, seconds_since
from execsvc.errors import OrderRefused, StopRequested, Unavailable
from execsvc.execution.order_service import OrderService
from execsvc.execution.ports import Services
from execsvc.failpoints import Failpoint, hit
from execsvc.model.market import plain
from execsvc.model.order import OrderRequest, Purpose
from execsvc.store.abandoned import command_to_abandon

LONGEST_BACKOFF = 8.0
_ALARM_EVERY = 60.0
"""Seconds."""


class LiquidationAlarm:
    """One CRITICAL line when positions cannot be closed and one a minute, over all processes."""

    def __init__(self, services: Services) -> None:
        self._ledger = services.ledger
        self._record = services.record
        self._reporter = services.reporter

    def update(self, flat: bool) -> None:
        """Log the alarm, or its end; called after every position has been tried."""
        since, logged = self._ledger.failing()
        self._reporter.update(liquidation_failed=not flat)
        if flat:
            if since is not None:
                self._ledger.keep_failing(None, None)
                self._record.log("INFO", "liquidation_recovered", "the position is closed now")
            return
        level = "DEBUG"
        if logged is None or seconds_since(logged) >= _ALARM_EVERY:
            level = "CRITICAL"
            self._ledger.keep_failing(since or now(), now())
        held = ", ".join(
            f"{plain(position.tracked)} {binding.base}"
            for binding, position in self._ledger.open_positions()
        )
        what = held or "coins sold short"
        cause = self._reporter.last_error or "cause unknown"
        self._record.log(
            level,
            "liquidation_failed",
            f"liquidation failed, {what} are open ({cause}); it is tried again and again; what can "
            f"never be sold is given up by: {command_to_abandon(self._ledger.bot_id)}",
            tracked=held,
        )


class Liquidation:
    """Sale of ``min(actual, tracked)`` at market, in up to ``liquidation_attempts`` attempts.

    ``liquidation_backoff`` [s] is waited before the second attempt, then doubling waits up to
    LONGEST_BACKOFF; and between the parts of one attempt, for the book to fill again.
    """

    def __init__(self, services: Services, orders: OrderService) -> None:
        self._orders = orders
        self._ledger = services.ledger
        self._record = services.record
        self._reporter = services.reporter
        self._waits = services.waits
        self._alarm = LiquidationAlarm(services)
        self._attempts = services.settings.liquidation_attempts
        self._backoff = services.settings.liquidation_backoff

    def run(self) -> bool:
        """Sell until the position is flat; False when the attempts did not do it.

        Raises LedgerFailed when nothing can be recorded, so nothing may be sold.
        """
        flat = self.close()
        self._alarm.update(flat)
        return flat

    def close(self) -> bool:
        """As :meth:`run`, without the alarm when it fails: for one of several positions."""
        self._drop_short()
        if self._orders.position.is_flat:
            return True
        flat = self._attempt_all()
        self._reporter.counts.liquidation("closed" if flat else "failed")
        return flat

    def _attempt_all(self) -> bool:
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=wait_exponential(multiplier=self._backoff, max=LONGEST_BACKOFF)
            + wait_random(0, self._backoff / 4),
            retry=retry_if_result(lambda flat: not flat),
            sleep=lambda seconds: self._waits.wait(
                min(seconds, LONGEST_BACKOFF), interruptible=False
            ),
        )
        try:
            return bool(retrying(self._attempt))
        except RetryError:
            return False

    def _attempt(self) -> bool:
        """One attempt: sell in as many parts as the exchange fills; True when the position is flat.

        The attempt fails at the first order that sells nothing. A part that was sold is no
        failure: were it counted as one, a market that fills half of each order would leave
        1/2^attempts of the position, although it takes the rest as well.
        """
        self._reporter.counts.liquidation_attempt()
        while self._sell_part() and not self._orders.position.is_flat:
            self._waits.wait(min(self._backoff, LONGEST_BACKOFF), interruptible=False)
        return self._orders.position.is_flat

    def _sell_part(self) -> bool:
        """Sell what is left; False when nothing was sold.

        Balance and tracked are read afresh within the account's turn. Raises StopRequested when
        the process is asked to end without selling.
        """
        if self._waits.stop is not None and self._waits.stop.hold:
            raise StopRequested(self._waits.stop.signal)
        hit(Failpoint.LIQUIDATION_ATTEMPT)
        self._ledger.make_room()
        tracked = self._orders.position.tracked
        try:
            self._orders.place(OrderRequest(Purpose.LIQUIDATION, tracked, "liquidation"))
        except (OrderRefused, Unavailable) as error:
            if not self._orders.position.is_flat:
                text = f"liquidation attempt failed, {plain(tracked)} tracked: {error}"
                self._record.log("WARNING", "liquidation_attempt_failed", text)
                self._reporter.update(last_error=text)
            return False
        return True

    def _drop_short(self) -> None:
        """Drop a short position: buying back the user's own base would be a risk at a stop."""
        if self._orders.position.sold_short > 0:
            self._orders.drop_short("the bot stops, and the quote is kept")
