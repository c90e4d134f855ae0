"""An order as it is asked for."""

from __future__ import annotations

import pytest

from execsvc.model.order import Purpose, Side


@pytest.mark.parametrize(
    ("purpose", "side", "opens", "is_short", "sells_tracked"),
    [
        (Purpose.ENTRY, Side.BUY, True, False, False),
        (Purpose.EXIT, Side.SELL, False, False, True),
        (Purpose.SHORT_ENTRY, Side.SELL, True, True, False),
        (Purpose.SHORT_EXIT, Side.BUY, False, True, False),
        (Purpose.LIQUIDATION, Side.SELL, False, False, True),
    ],
)
def test_purpose_decides_side_and_what_is_touched(
    purpose: Purpose, side: Side, opens: bool, is_short: bool, sells_tracked: bool
) -> None:
    assert purpose.side is side
    assert (purpose.opens, purpose.is_short, purpose.sells_tracked) == (
        opens,
        is_short,
        sells_tracked,
    )
