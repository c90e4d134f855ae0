"""Look-up of the outcome of an order at an adapter that answers ``GET /order/{client_order_id}``.

Today's adapter does not: it answers 404 to a path it does not know, and so would a better one to an
order it never heard of. A 404 is therefore believed only once the adapter has found an order that
is known to have executed. An order that it finds is believed at once.
"""

from __future__ import annotations

from enum import Enum

from execsvc.errors import NotFound, OutcomeContradicted, OutcomeUnknown, Unavailable
from execsvc.execution.exchange import Exchange
from execsvc.model.order import Fill
from execsvc.store.account_store import AccountStore
from execsvc.store.orders import JournalRow


class Found(Enum):
    """The results of a look-up that states no final fill."""

    NOT_AMONG_THEM = "the adapter keeps records of orders, and this one is not among them"
    NOT_FINAL = "the adapter knows the order, which may still be filled"
    CONTRADICTED = "the adapter's record of the order cannot be true"
    SILENT = "the adapter keeps records of orders, but does not answer at present"
    NO_RECORDS = "nothing shows that the adapter keeps records of orders"


class OrderLookup:
    """The adapter's own records of orders, and whether there are any."""

    def __init__(self, adapter: Exchange, journal: AccountStore) -> None:
        self._adapter = adapter
        self._journal = journal
        self._kept: bool | None = None

    def look_up(self, row: JournalRow) -> Fill | Found:
        """The final fill of the order in ``row``, or the finding of the adapter's records."""
        if self._kept is False:
            return Found.NO_RECORDS
        try:
            fill = self._find(row)
        except NotFound:
            return Found.NOT_AMONG_THEM if self._are_kept() else Found.NO_RECORDS
        except OutcomeContradicted:
            self._kept = True
            return Found.CONTRADICTED
        except OutcomeUnknown:
            self._kept = True
            return Found.NOT_FINAL
        except Unavailable:
            return Found.SILENT if self._kept else Found.NO_RECORDS
        self._kept = True
        return fill

    def _are_kept(self) -> bool:
        """True when the adapter finds an order that is known to have executed."""
        if self._kept is None:
            known = self._journal.last_executed()
            if known is None:
                return False
            try:
                self._find(known)
                self._kept = True
            except OutcomeUnknown:
                self._kept = True
            except NotFound:
                self._kept = False
            except Unavailable:
                return False
        return self._kept

    def _find(self, row: JournalRow) -> Fill:
        intent = row.intent
        return self._adapter.find_order(
            intent.client_order_id, intent.symbol, intent.side, intent.amount
        )
