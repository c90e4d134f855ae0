"""Texts about an order whose unknown outcome is decided."""

from __future__ import annotations

from execsvc.execution.settlement.decision import Finding, SettlementDecision
from execsvc.model.order import Fill
from execsvc.store.orders import JournalRow


def said(row: JournalRow, decision: SettlementDecision) -> str:
    """A line for the log and for the operator."""
    intent = row.intent
    text = (
        f"outcome of {intent.side.value} {intent.amount:f} {intent.symbol} of bot "
        f"{intent.bot_id} was unknown, settled by balances: {decision.finding.value}, "
        f"filled {decision.fill.filled:f}"
    )
    if decision.finding is Finding.CONTESTED:
        text += "; somebody else moved the account: decide it with execsvc settle"
    return text


def about(row: JournalRow, fill: Fill) -> dict[str, object]:
    """The fields of the line about ``row``: the order, its bot, the filled quantity."""
    intent = row.intent
    return {"order_id": intent.client_order_id, "owner": intent.bot_id, "filled": fill.filled}
