"""Order states and ids."""

from __future__ import annotations

import re

import pytest

from execsvc.model.order import TRANSITIONS, OrderState, Side, new_client_order_id


def test_transitions_lead_from_open_to_final() -> None:
    final = {state for state, following in TRANSITIONS.items() if not following}
    assert final == {OrderState.EXECUTED, OrderState.NOT_EXECUTED}
    assert set(TRANSITIONS) == set(OrderState)
    for state, following in TRANSITIONS.items():
        assert state not in following
        assert OrderState.IN_FLIGHT not in following


@pytest.mark.parametrize("state", list(OrderState))
def test_unsettled_states_hold_the_account(state: OrderState) -> None:
    assert state.unsettled == (state.name in ("IN_FLIGHT", "UNKNOWN", "ARRIVING"))


def test_client_order_ids_are_unique_and_fit_the_contract() -> None:
    ids = {new_client_order_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,36}", one) for one in ids)


def test_sides_have_signs() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
