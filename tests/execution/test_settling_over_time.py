"""Settlement on a clock of its own: windows, clocks that jump, accounts that never rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.clocks import HOUR, SetClock
from support.store_files import change
from support.stores import store_in

from execsvc.clock import installed
from execsvc.errors import NotFound, OutcomeContradicted, Unavailable
from execsvc.execution.ports import ExecutionSettings
from execsvc.execution.settlement.settlement import Settlement
from execsvc.model.balance import Balance, Holding
from execsvc.model.market import Depth, Level
from execsvc.model.order import NOTHING_KNOWN, Fill, Intent, OrderState, Purpose, Side
from execsvc.runner.counts import SERIES, Counts

D = Decimal
WINDOW, TIMEOUT = 10.0, 30.0
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def holding(base: str, quote: str) -> Balance:
    return Balance(
        assets=(
            Holding(asset="BTC", free=D(base), locked=D(0)),
            Holding(asset="USDT", free=D(quote), locked=D(0)),
        )
    )


UNMOVED = holding("1", "10000")
BOUGHT = holding("1.01998", "9000")
SOLD = holding("0.98", "11000")


def no_book(*asked: object) -> Depth:
    raise Unavailable("GET /market/depth: down")


def book(*asked: object) -> Depth:
    return Depth(symbol="BTC/USDT", bids=(Level(D(49900), D(1)),), asks=(Level(D(50100), D(1)),))


def no_records(*asked: object) -> Fill:
    """Today's adapter has no such call."""
    raise NotFound("GET /order: HTTP 404: Not Found")


def contradicts(*asked: object) -> Fill:
    raise OutcomeContradicted("GET /order: 999 of 9990")


class Bench:
    """A settlement whose time passes only in its own waits."""

    def __init__(self, folder: Path, clock: SetClock) -> None:
        self.clock = clock
        self.elapsed = 0.0
        self.counts = Counts()
        self.journal = store_in(folder).account("k1")
        self.shown: Callable[[float], Balance] = lambda at: UNMOVED
        self.said: list[str] = []
        self.book: Callable[[], Depth] = no_book
        self.find: Callable[[], Fill] = no_records
        parts: Any = SimpleNamespace(
            adapter=SimpleNamespace(
                balance=lambda *assets: self.shown(self.elapsed),
                find_order=lambda *asked: self.find(),
                depth=lambda *asked: self.book(),
            ),
            journal=self.journal,
        )
        reporter: Any = SimpleNamespace(update=lambda **changes: None, counts=self.counts)
        self.priced: list[str | None] = []
        record: Any = SimpleNamespace(
            log=lambda level, *rest, **data: self.said.append(level),
            priced=lambda intent, fill: self.priced.append(fill.priced_by),
        )
        waits: Any = SimpleNamespace(wait=self.wait, stop=None, uninterrupted=self.uninterrupted)
        settings = ExecutionSettings(order_timeout=TIMEOUT, settlement_window=WINDOW)
        services: Any = SimpleNamespace(
            bot_id="b1", waits=waits, reporter=reporter, record=record, settings=settings
        )
        self.settlement = Settlement(services, parts)

    def wait(self, seconds: float) -> None:
        assert self.elapsed < 3600, "it waits for ever"
        self.elapsed += seconds
        self.clock.advance(seconds)

    def uninterrupted(self) -> Any:
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...

    def sent(self, side: Side = Side.BUY, answered: bool = True, short: bool = False) -> None:
        self.journal.begin(
            Intent(
                client_order_id="c1",
                bot_id="b1",
                key_id="k1",
                symbol="BTC/USDT",
                side=side,
                amount=D("0.02"),
                reason="test",
                price=D(50000),
                baseline_base=D(1),
                baseline_quote=D(10000),
                created_at=self.clock.now(),
                short=short,
            )
        )
        if answered:
            self.journal.unknown("c1", self.clock.now(), D(0), "test")

    def settle(self) -> tuple[OrderState, Fill]:
        row = self.settlement.settle(self.journal.row("c1"), Purpose.ENTRY)
        return row.state, row.fill


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = SetClock(START)
    with installed(clock):
        made = Bench(tmp_path, clock)
        yield made
        made.journal.close()


def test_a_full_fill_is_decided_by_two_reads(bench: Bench) -> None:
    bench.sent()
    bench.shown = lambda at: BOUGHT
    assert bench.settle()[0] is OrderState.EXECUTED
    assert bench.elapsed == 0.5


@pytest.mark.parametrize(("answered", "until"), [(True, WINDOW), (False, TIMEOUT + WINDOW)])
def test_nothing_is_decided_only_after_the_window(
    bench: Bench, answered: bool, until: float
) -> None:
    bench.sent(answered=answered)
    assert bench.settle()[0] is OrderState.NOT_EXECUTED
    assert until <= bench.elapsed <= until + 5


@pytest.mark.parametrize("at", [9.5, 12.0])
def test_an_execution_at_the_end_of_the_window_is_seen(bench: Bench, at: float) -> None:
    bench.sent()
    bench.shown = lambda now: BOUGHT if now >= at else UNMOVED
    state, fill = bench.settle()
    assert state is OrderState.EXECUTED
    assert fill.base_change(Side.BUY) == D("0.01998")


def test_while_balances_cannot_be_read_it_waits(bench: Bench) -> None:
    def shown(at: float) -> Balance:
        if at < 100:
            raise Unavailable("down")
        return BOUGHT

    bench.sent()
    bench.shown = shown
    assert bench.settle()[0] is OrderState.EXECUTED


@pytest.mark.parametrize("jump", [-86400, -60, 60, 86400])
def test_a_clock_that_is_set_while_it_waits_changes_nothing(bench: Bench, jump: int) -> None:
    def shown(at: float) -> Balance:
        if at == 1.0:
            bench.clock.set_by(jump)
        return BOUGHT if at >= 9.5 else UNMOVED

    bench.sent()
    bench.shown = shown
    assert bench.settle()[0] is OrderState.EXECUTED


@pytest.mark.parametrize("step", [-365 * 24 * HOUR, -HOUR, HOUR])
@pytest.mark.parametrize(("answered", "left"), [(True, WINDOW - 6), (False, TIMEOUT + WINDOW - 6)])
def test_settle_after_a_crash_and_a_step_of_the_clock_waits_for_the_rest_of_the_window(
    bench: Bench, step: float, answered: bool, left: float
) -> None:
    bench.sent(answered=answered)
    bench.clock.advance(6)
    bench.clock.set_by(step)
    assert bench.settle()[0] is OrderState.NOT_EXECUTED
    assert left <= bench.elapsed <= left + 5


@pytest.mark.parametrize(("step", "least"), [(0, WINDOW - 6), (-HOUR, WINDOW), (HOUR, 0)])
def test_settle_in_another_boot_goes_by_the_wall_clocks_and_waits_for_one_window_at_most(
    bench: Bench, step: float, least: float
) -> None:
    bench.sent()
    bench.clock.advance(6)
    bench.clock.reboot()
    bench.clock.set_by(step)
    assert bench.settle()[0] is OrderState.NOT_EXECUTED
    assert least <= bench.elapsed <= least + 5


def test_settle_an_intent_of_an_older_service_goes_by_the_wall_clock(bench: Bench) -> None:
    bench.sent()
    change(bench.journal, "DROP TABLE moment")
    bench.clock.advance(6)
    assert bench.settle()[0] is OrderState.NOT_EXECUTED
    assert WINDOW - 6 <= bench.elapsed <= WINDOW - 1


def test_an_account_that_never_rests_is_contested_and_a_sell_booked_in_full(
    bench: Bench,
) -> None:
    """The coins may be sold, also where the last balance shows that nothing happened."""
    bench.sent(Side.SELL)
    looks = iter(range(10_000))
    bench.shown = lambda at: (UNMOVED, SOLD)[next(looks) % 2]
    state, fill = bench.settle()
    assert state is OrderState.CONTESTED
    assert fill.base_change(Side.SELL) == D("-0.02")
    assert bench.said == ["CRITICAL"]


def test_an_arrival_tells_the_fee(bench: Bench) -> None:
    bench.sent(answered=False)
    fill = Fill(filled=D("0.02"), base_fee=None, average=D(50000))
    bench.journal.outcome("c1", OrderState.ARRIVING, fill, bench.clock.now())
    bench.shown = lambda at: BOUGHT if at >= 3 else UNMOVED
    state, settled = bench.settle()
    assert state is OrderState.EXECUTED
    assert settled.base_fee == D("0.00002")


def test_an_arrival_that_cannot_be_told_is_taken_with_care(bench: Bench) -> None:
    bench.sent(answered=False)
    fill = Fill(filled=D("0.02"), base_fee=None, average=D(50000))
    bench.journal.outcome("c1", OrderState.ARRIVING, fill, bench.clock.now())
    bench.shown = lambda at: holding("5", "9000")
    assert bench.settle()[1].base_change(Side.BUY) == D("0.0198")
    assert WINDOW <= bench.elapsed <= WINDOW + 1


NO_PRICE = Fill(filled=D("0.02"), base_fee=D("0.00002"))


@pytest.mark.parametrize(
    ("shown", "asks", "price", "source", "until"),
    [
        (lambda at: BOUGHT if at >= 3 else UNMOVED, True, "50000", "the quote balance", 3.0),
        (lambda at: holding("1.01998", "8989" if at >= 3 else "10000"), True, "50550", None, 3.0),
        (lambda at: holding("1.01998", "10000"), True, "50100", "the book after it", WINDOW),
        (lambda at: holding("1.01998", "5000"), True, "50100", "the book after it", WINDOW),
        (lambda at: UNMOVED, True, "50100", "the book after it", WINDOW),
        (lambda at: UNMOVED, False, "50000", "the ticker before it", WINDOW),
    ],
    ids=["quote", "quote_later", "unmoved_quote", "foreign_quote", "book", "ticker"],
)
def test_entry_without_a_price_is_priced_by_the_balance_else_by_the_market(
    bench: Bench,
    shown: Callable[[float], Balance],
    asks: bool,
    price: str,
    source: str | None,
    until: float,
) -> None:
    bench.sent(answered=False)
    bench.journal.outcome("c1", OrderState.ARRIVING, NO_PRICE, bench.clock.now())
    bench.shown = shown
    bench.book = book if asks else no_book
    state, fill = bench.settle()
    assert state is OrderState.EXECUTED
    assert fill.average == D(price)
    assert fill.base_fee == D("0.00002")
    assert bench.priced == [source or "the quote balance"]
    assert until <= bench.elapsed <= until + 1


def test_exit_without_a_price_is_not_waited_for(bench: Bench) -> None:
    bench.sent(Side.SELL, answered=False)
    intent = bench.journal.row("c1").intent
    assert intent.state_after(Fill(filled=D("0.02"))) is OrderState.EXECUTED
    opens = intent.model_copy(update={"short": True})
    assert opens.state_after(Fill(filled=D("0.02"))) is OrderState.ARRIVING


def test_short_entry_without_a_price_is_priced_by_the_quote_that_came(bench: Bench) -> None:
    bench.sent(Side.SELL, answered=False, short=True)
    fill = Fill(filled=D("0.02"), quote_fee=D(1))
    bench.journal.outcome("c1", OrderState.ARRIVING, fill, bench.clock.now())
    bench.shown = lambda at: holding("0.98", "10997")
    bench.book = book
    assert bench.settle()[1].average == D(49900)


@pytest.mark.parametrize(
    ("shown", "state", "filled", "until"),
    [
        (BOUGHT, OrderState.EXECUTED, "0.02", 0.5),
        (holding("1.00999", "9500"), OrderState.EXECUTED, "0.00999", WINDOW),
        (UNMOVED, OrderState.NOT_EXECUTED, "0", WINDOW),
        (holding("5", "9000"), OrderState.CONTESTED, "0.02", WINDOW),
    ],
    ids=["full", "partly", "none", "contested"],
)
def test_answer_that_contradicts_itself_is_decided_by_balances(
    bench: Bench, shown: Balance, state: OrderState, filled: str, until: float
) -> None:
    bench.sent(answered=False)
    bench.journal.outcome(
        "c1", OrderState.ARRIVING, NOTHING_KNOWN, bench.clock.now(), "999 of 9990"
    )
    bench.shown = lambda at: shown
    found, fill = bench.settle()
    assert (found, fill.filled) == (state, D(filled))
    assert until <= bench.elapsed <= until + 5
    assert "999 of 9990" in bench.journal.row("c1").detail
    assert sum(bench.counts.numbers()[: len(SERIES)]) == 1, "it counts as settled"


def test_record_of_the_adapter_that_contradicts_itself_leaves_it_to_balances(bench: Bench) -> None:
    bench.find = contradicts
    bench.sent()
    bench.shown = lambda at: BOUGHT
    assert bench.settle()[0] is OrderState.EXECUTED
    assert bench.elapsed == 0.5


@pytest.mark.parametrize(
    ("shown", "fee", "until"),
    [
        (holding("0.98", "11000"), "0", 0.0),
        (holding("0.97998", "11000"), "0.00002", 0.0),
        (UNMOVED, "0.0002", WINDOW),
    ],
    ids=["none", "in_base", "unseen"],
)
def test_sell_whose_fee_may_be_in_base_tracks_what_is_left(
    bench: Bench, shown: Balance, fee: str, until: float
) -> None:
    bench.sent(Side.SELL, answered=False)
    fill = Fill(filled=D("0.02"), average=D(50000), base_fee=None)
    assert bench.journal.row("c1").intent.state_after(fill) is OrderState.ARRIVING
    bench.journal.outcome("c1", OrderState.ARRIVING, fill, bench.clock.now())
    bench.shown = lambda at: shown
    state, settled = bench.settle()
    assert (state, settled.base_fee) == (OrderState.EXECUTED, D(fee))
    assert until <= bench.elapsed <= until + 1
