"""Values that the tests of the ledger are made of."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

from execsvc.model.bot import Binding, Mode
from execsvc.model.order import Fill, Intent, OrderState, Side
from execsvc.store.orders import OrderRow

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
BINDING = Binding(mode=Mode.LIVE, key_id="k1", symbol="BTC/USDT", strategy="test_trading_v1")


def intent(number: int = 1, side: Side = Side.BUY, bot_id: str = "b1") -> Intent:
    return Intent(
        client_order_id=f"c{number}",
        bot_id=bot_id,
        key_id="k1",
        symbol="BTC/USDT",
        side=side,
        amount=Decimal("0.02"),
        reason="test",
        price=Decimal(50000),
        baseline_base=Decimal(1),
        baseline_quote=Decimal(10000),
        created_at=AT,
    )


def fill(filled: str = "0.02", fee: str = "0.00002") -> Fill:
    return Fill(filled=Decimal(filled), average=Decimal(50000), base_fee=Decimal(fee))


def order(
    number: int = 1,
    side: Side = Side.BUY,
    state: OrderState = OrderState.EXECUTED,
    filled: str = "0.02",
    fee: str = "0",
) -> OrderRow:
    return OrderRow(
        client_order_id=f"c{number}",
        bot_id="b1",
        symbol="BTC/USDT",
        side=side,
        amount=Decimal("0.02"),
        reason="test",
        state=state,
        fill=fill(filled, fee),
        created_at=AT,
        settled_at=AT,
    )
