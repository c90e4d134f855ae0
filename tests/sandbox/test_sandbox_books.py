from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import requests
from hypothesis import given
from hypothesis import strategies as st

from execsvc.errors import OrderRefused
from execsvc.model.market import Level
from execsvc.model.order import Side
from execsvc.sandbox.books import all_books
from execsvc.sandbox.exchange import HandTrade, OrderBody, PaperExchange
from execsvc.sandbox.market import Market, MarketChange
from execsvc.sandbox.server import Sandbox


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def exchange(clock: Hand) -> PaperExchange:
    market = Market(clock)
    market.change(
        MarketChange(
            symbol="BTC/USDT",
            bids=(Level(Decimal("49990.07"), Decimal("0.3")), Level(Decimal(49000), Decimal(5))),
            asks=(Level(Decimal("50000.03"), Decimal("0.3")), Level(Decimal(51000), Decimal(5))),
        )
    )
    return PaperExchange(market, clock, {"USDT": Decimal(100_000), "BTC": Decimal(1)})


def body(side: str, amount: str, name: str | None = None) -> OrderBody:
    return OrderBody(
        key_id="k", symbol="BTC/USDT", side=Side(side), amount=Decimal(amount), client_order_id=name
    )


def books(made: PaperExchange) -> dict[str, Any]:
    account: dict[str, Any] = all_books(made, None, True)["accounts"]["k"]
    return account


AMOUNTS = st.decimals("0.00001", "1.5", places=5).map(str)
STEPS = st.one_of(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        AMOUNTS,
        st.none() | st.decimals("0", "1", places=3),
        st.floats(0, 5),
        st.booleans(),
    ),
    st.tuples(
        st.just("hand"),
        AMOUNTS,
        st.sampled_from(["buy", "sell", "deposit", "withdraw", "lock", "unlock"]),
    ),
)


@given(st.lists(STEPS, max_size=25))
def test_the_books_add_up_to_the_last_digit(steps: list[Any]) -> None:
    clock = Hand()
    made = exchange(clock)
    for number, step in enumerate(steps):
        clock.seconds += 0.7
        try:
            if step[0] == "hand":
                made.trade_by_hand("k", HandTrade(kind=step[2], amount=Decimal(step[1])))
                continue
            side, amount, part, lag, rest = step
            record = made.receive(body(side, amount, f"intent-{number}"))
            made.execute(record, part, lag)
            if rest:
                made.execute_rest(record)
        except OrderRefused:
            continue
    made.account("k")
    told = books(made)
    lowest_left = {"BTC": Decimal(0), "USDT": Decimal(0)}
    for asset, lines in told["assets"].items():
        events = [event for event in told["events"] if event["asset"] == asset]
        totals, ours = [Decimal(told["initial"][asset])], Decimal(0)
        for event in events:
            change = sum(Decimal(event[name]) for name in ("after", "locked_after")) - sum(
                Decimal(event[name]) for name in ("before", "locked_before")
            )
            totals.append(totals[-1] + change)
            if event["cause"].startswith("order"):
                ours += change
                lowest_left[asset] = min(lowest_left[asset], ours)
        held = sum(Decimal(amount) for amount in told["balances"][asset].values())
        figures = {name: Decimal(value) for name, value in lines.items()}
        assert held == totals[-1]
        assert held == Decimal(told["initial"][asset]) + figures["left"] + figures["by_hand"]
        assert figures["left"] == figures["bought"] - figures["sold"] - figures["fees"] == ours
        assert figures["lowest"] == min(totals)
        assert figures["lowest_left"] == lowest_left[asset]
    orders = told["orders"]
    assert all(Decimal(order["filled"]) <= Decimal(order["amount"]) for order in orders)


@given(
    st.lists(st.tuples(st.sampled_from(["buy", "sell"]), st.floats(0, 4)), min_size=1, max_size=12)
)
def test_balances_show_an_execution_when_its_lag_is_over_and_not_before(
    orders: list[tuple[str, float]],
) -> None:
    clock = Hand()
    made = exchange(clock)
    account = made.account("k")
    expected: list[tuple[datetime, Decimal]] = []
    for side, lag in orders:
        clock.seconds += 0.9
        made.execute(made.receive(body(side, "0.01")), None, lag)
        change = Decimal("0.00999") if side == "buy" else Decimal("-0.01")
        expected.append((clock.now() + timedelta(seconds=lag), change))
    for _ in range(12):
        shown = Decimal(1) + sum(change for at, change in expected if at <= clock.now())
        assert account.shown(clock.now())["BTC"] == (shown, 0)
        clock.seconds += 0.5
    assert account.shown(clock.now())["BTC"] == (account.paper.free("BTC"), 0)


def test_balance_fault_lag_shows_an_old_balance() -> None:
    clock = Hand()
    made = exchange(clock)
    clock.seconds = 10
    made.execute(made.receive(body("buy", "0.01")))
    clock.seconds = 12
    account = made.account("k")
    assert account.shown(clock.now(), lag=3)["BTC"] == (1, 0)
    assert account.shown(clock.now(), lag=1)["BTC"] == (Decimal("1.00999"), 0)


def test_trade_by_hand_changes_balances_and_books(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/sandbox"

    def by_hand(**members: Any) -> int:
        return requests.post(f"{url}/accounts/k/trade", json=members, timeout=60).status_code

    requests.put(f"{url}/market", json={"price": 50000}, timeout=60)
    requests.put(f"{url}/accounts/k", json={"BTC": 1, "USDT": 1000}, timeout=60)
    assert by_hand(kind="buy", amount=0.01) == 200
    assert by_hand(kind="withdraw", amount="0.5") == 200
    assert by_hand(kind="deposit", amount=3, asset="USDT") == 200
    assert by_hand(kind="lock", amount=0.1) == 200
    assert by_hand(kind="sell", amount=0.45) == 409
    assert by_hand(kind="unlock", amount=0.1) == 200
    assert by_hand(kind="sell", amount=0.45) == 200
    assert by_hand(kind="steal", amount=1) == 422
    account = requests.get(f"{url}/books", timeout=60).json()["accounts"]["k"]
    assert account["orders"] == []
    assert account["balances"]["BTC"] == {"free": "0.05999", "locked": "0"}
    assert account["assets"]["BTC"] == {
        "bought": "0",
        "sold": "0",
        "fees": "0",
        "left": "0",
        "by_hand": "-0.94001",
        "lowest": "0.05999",
        "lowest_left": "0",
    }
    causes = [event["cause"] for event in account["events"] if event["asset"] == "BTC"]
    assert causes == ["hand buy", "hand withdraw", "hand lock", "hand unlock", "hand sell"]


def test_books_of_one_account_without_events(sandbox: Sandbox) -> None:
    for key in ("one", "two"):
        requests.get(f"{sandbox.url}/balance/{key}", timeout=60)
    told = requests.get(f"{sandbox.url}/sandbox/books?key=two&events=0", timeout=60).json()
    assert list(told["accounts"]) == ["two"]
    assert "events" not in told["accounts"]["two"]


def test_orders_at_the_same_time_are_executed_one_after_the_other(sandbox: Sandbox) -> None:
    requests.put(f"{sandbox.url}/sandbox/market", json={"price": 100, "fee_rate": 0}, timeout=60)
    requests.put(f"{sandbox.url}/sandbox/accounts/k", json={"USDT": 1000}, timeout=60)
    order = {"key_id": "k", "symbol": "BTC/USDT", "side": "buy", "amount": 0.3}

    def place(_: int) -> int:
        return requests.post(f"{sandbox.url}/order", json=order, timeout=60).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(place, range(60)))
    assert sorted(set(statuses)) == [200, 500]
    assert statuses.count(200) == 33
    account = requests.get(f"{sandbox.url}/sandbox/books", timeout=60).json()["accounts"]["k"]
    assert account["balances"]["BTC"]["free"] == "9.9"
    assert account["balances"]["USDT"]["free"] == "10"
    afters = [event["after"] for event in account["events"] if event["asset"] == "USDT"]
    assert afters == [str(970 - 30 * number) for number in range(33)]
