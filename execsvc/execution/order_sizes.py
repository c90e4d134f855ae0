"""Sizes of a bot's orders: the wanted quantity, within the amounts that its market takes."""

from __future__ import annotations

from decimal import Decimal

from execsvc.clients.exchange_words import meaning
from execsvc.errors import OrderRefused
from execsvc.execution.known_sizes import Known
from execsvc.execution.next_amount import last_amount, next_amount
from execsvc.execution.size_memory import SizeMemory
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, Limits, round_down
from execsvc.store.orders import OrderRow


class OrderSizes:
    """The sizes that a bot's market takes, as far as they are published or were learnt."""

    def __init__(self, memory: SizeMemory, binding: Binding, precision: int | None) -> None:
        self._memory = memory
        self._binding = binding
        self._precision = precision

    def known(self, price: Decimal | None) -> Known:
        """The limits learnt from refusals; ``price`` is the ticker's, None without one."""
        return self._memory.known(self._binding.key_id, self._binding.symbol, price)

    def of_strategy(self, limits: Limits) -> int:
        """Decimals that an amount of the strategy's own orders may have."""
        return limits.decimals if self._precision is None else min(limits.decimals, self._precision)

    def forget(self) -> None:
        """Forget the limits learnt from refusals."""
        self._memory.forget()


class Sizing:
    """The amounts of the orders of one call: after each refusal for the size another one.

    ``opens``: the call is an entry, which may try how large an order the market takes.
    """

    def __init__(self, sizes: OrderSizes, opens: bool) -> None:
        self._sizes = sizes
        self._opens = opens
        self._refusal: str | None = None
        self._amount = ZERO

    def amount(
        self,
        wanted: Decimal,
        decimals: int,
        limits: Limits,
        price: Decimal | None,
        tracked: Decimal | None = None,
    ) -> Decimal:
        """The amount to order of ``wanted`` base units, which have ``decimals`` at most.

        ``tracked`` is given when all of it is to be sold. Raises OrderRefused, in the words of the
        last refusal of this call, when every other amount has been refused as well. The first order
        of a call is always sent: the market may have changed.
        """
        known = self._sizes.known(price)
        amount = next_amount(wanted, decimals, limits, price, known, self._opens)
        if amount is None and tracked is not None:
            whole = round_down(tracked, limits.decimals)
            if wanted == whole:
                amount = last_amount(tracked, limits, price, known)
        if self._refusal is not None and amount in (None, self._amount):
            raise OrderRefused(self._refusal)
        self._amount = wanted if amount is None else amount
        return self._amount

    def goes_on(self, order: OrderRow) -> bool:
        """True when another amount may be taken after ``order`` was not executed."""
        self._refusal = order.detail
        refusal = meaning(order.detail)
        return refusal is not None and refusal.is_of_size
