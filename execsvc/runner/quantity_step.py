"""How many decimals an amount of one bot may have, and what refusals have taught of that."""

from __future__ import annotations

from decimal import Decimal

from execsvc.ledger.bot_ledger import BotLedger
from execsvc.model.bot import Binding
from execsvc.model.market import Limits
from execsvc.runner.record import Record
from execsvc.runner.sizing import fewer_decimals, quantity_decimals


class QuantityStep:
    """The step of a bot's market, as far as it is published or was learnt."""

    def __init__(
        self, ledger: BotLedger, binding: Binding, record: Record, precision: int | None
    ) -> None:
        self._ledger = ledger
        self._binding = binding
        self._record = record
        self._precision = precision

    def of_strategy(self, limits: Limits) -> int:
        """Decimals that an amount of the strategy's own orders may have."""
        return self._decimals(limits, self._precision)

    def of_exchange(self, limits: Limits) -> int:
        """Decimals that the exchange takes, whatever the strategy prefers."""
        return self._decimals(limits, None)

    def learnt(self) -> tuple[int | None, bool]:
        """Decimals learnt from refusals (None: none), and whether the exchange took them since."""
        return self._ledger.learnt_decimals(self._binding.key_id, self._binding.symbol)

    def refused(self, amount: Decimal, limits: Limits) -> bool:
        """Remember one decimal less; False when that would leave nothing of ``amount``."""
        fewer = fewer_decimals(amount, self.of_exchange(limits))
        if fewer is None:
            return False
        self._keep(fewer, proven=False)
        self._record.say(
            "WARNING", "step_learnt", f"amounts of {self._binding.symbol} have {fewer} decimals now"
        )
        return True

    def taken(self) -> None:
        """The exchange took an order with these decimals."""
        learnt, proven = self.learnt()
        if learnt is not None and not proven:
            self._keep(learnt, proven=True)

    def _decimals(self, limits: Limits, precision: int | None) -> int:
        return quantity_decimals(limits, self.learnt()[0], precision)

    def _keep(self, decimals: int, proven: bool) -> None:
        key_id, symbol = self._binding.key_id, self._binding.symbol
        self._ledger.keep_decimals(key_id, symbol, decimals, proven=proven)
