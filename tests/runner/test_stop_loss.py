"""A stop loss on a bot's own order path: what it reads, when it sells, what it does when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bot_process import bot_row
from support.memory_market import NOON, MemoryBot, MemoryExchange
from support.store_files import logged

from execsvc.clock import SimulatedClock, installed
from execsvc.errors import Banned, GuardRefused, LedgerUnavailable, OrderRefused, Unavailable
from execsvc.model.bot import parse_row
from execsvc.model.market import Depth, Level, Limits
from execsvc.model.order import Fill, Purpose
from execsvc.model.position import Position
from execsvc.paper.terms import Terms
from execsvc.runner.context import StrategyRun, TickContext
from execsvc.runner.stop_loss import RETRY, StopLoss
from execsvc.runner.strategy_time import StrategyTime
from execsvc.sandbox.dialects import Dialect
from execsvc.strategies.base import NoState
from execsvc.strategies.test_trading_v1.strategy import TrialTrading

D = Decimal
LIMITS = Limits(min_amount=D("0.00001"), min_notional=D(5))
LOTS = D(1000)


class Market(MemoryExchange):
    """An exchange whose book a test writes: best bid and best ask, or why it cannot be read."""

    def __init__(self, clock: SimulatedClock) -> None:
        balances = {"BTC": D(1), "USDT": D(100_000)}
        terms = Terms(limits=LIMITS, fee_rate=D(0))
        super().__init__(clock, D(50_000), terms, LIMITS, Dialect.BINANCE, balances)
        self.books: list[tuple[str, str] | Exception] = []
        """The answers to the next reads; the last one stays."""
        self.reads = 0
        self.largest = 5_000
        """Levels of a book that can be read at most."""
        self.refusal: Exception | None = None
        self.asked = 0
        """Orders that were sent, also those that were refused."""

    def depth(self, symbol: str, limit: int) -> Depth:
        self.reads += 1
        if limit > self.largest:
            raise Unavailable("GET /market/depth: too slow")
        book = self.books.pop(0) if len(self.books) > 1 else self.books[0]
        if isinstance(book, Exception):
            raise book
        bid, ask = (Level(D(price), LOTS) for price in book)
        return Depth(symbol=symbol, bids=(bid,), asks=(ask,))

    def place_order(self, *args: object, **given: object) -> Fill:
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        return super().place_order(*args, **given)  # type: ignore[arg-type]


class Bot(MemoryBot):
    """A bot that has bought 0.02 at 50 000 unless a test says otherwise, under a stop loss of 5 %."""

    exchange: Market

    def __init__(self, market: Market, entry: str | None = "50000") -> None:
        super().__init__(market)
        self.enter(entry)

    def enter(self, entry: str | None, short: bool = False) -> None:
        amount = D("0.02")
        self.exchange.account._free["BTC"] = D(1) + (-amount if short else amount)
        position = Position(
            tracked=D(0) if short else amount,
            sold_short=amount if short else D(0),
            entry_price=None if entry is None else D(entry),
            opened_at=NOON,
        )
        self.ledger.keep_position(self.order_service.binding, position)

    def restart(self) -> None:
        super().restart()
        self.stop_loss = StopLoss(self._services, D(5), self.order_service, self.exchange)
        self.order_service.guards.begin_tick()

    def look(self, *books: tuple[str, str] | Exception) -> str | None:
        self.exchange.books = list(books)
        return self.stop_loss.check()

    @property
    def guards(self) -> list[str]:
        return [guard["guard"] for guard in self.reporter.snapshot.guards]

    @property
    def holds(self) -> bool:
        return self.position.side is not None

    @property
    def said(self) -> list[str]:
        return [row.event for row in logged(self.ledger)]


@pytest.fixture
def clock() -> Iterator[SimulatedClock]:
    simulated = SimulatedClock(NOON)
    with installed(simulated):
        yield simulated


@pytest.fixture
def bot(clock: SimulatedClock) -> Bot:
    return Bot(Market(clock))


def test_look_above_the_threshold_sells_nothing(bot: Bot) -> None:
    assert bot.look(("47500.01", "47501")) is None
    assert bot.holds and bot.exchange.sent == [] and bot.guards == []


def test_look_at_the_threshold_sells_all_and_blocks_entries(bot: Bot) -> None:
    assert bot.look(("47500", "47501")) is None
    assert not bot.holds
    assert bot.exchange.sent == [D("0.02")]
    assert bot.guards == ["stop_loss"]
    (guard,) = bot.reporter.snapshot.guards
    assert guard["detail"] == (
        "stop loss 5 %: 47500 is 5 % below the entry price of 50000; "
        "until the bot is stopped and started, or released (execsvc release)"
    )
    with pytest.raises(GuardRefused, match="stop loss"):
        bot.order(Purpose.ENTRY, D("0.01"))
    assert bot.exchange.sent == [D("0.02")]


def test_guard_is_kept_before_the_order_goes_out(bot: Bot) -> None:
    class Killed(BaseException):
        """The process dies as it is about to send."""

    bot.exchange.refusal = Killed()  # type: ignore[assignment]
    with pytest.raises(Killed):
        bot.look(("47000", "47001"))
    assert [guard.guard for guard in bot.ledger.tripped_guards()] == ["stop_loss"]


def test_look_without_a_position_reads_nothing(bot: Bot) -> None:
    bot.ledger.keep_position(bot.order_service.binding, Position())
    assert bot.look(Unavailable("down")) is None
    assert bot.exchange.reads == 0


def test_every_look_says_whether_it_could_tell(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []

    def checked(judged: bool) -> None:
        told.append(judged)

    monkeypatch.setattr(bot.reporter, "checked", checked)
    bot.look(("49000", "49001"))
    bot.look(Unavailable("GET /market/depth: HTTP 500"))
    bot.look(Banned("banned for another 60 s", 60.0))
    bot.look(("500", "500.1"), ("50000", "50001"))
    bot.enter(None)
    bot.look(("49000", "49001"))
    bot.enter("50000")
    bot.exchange.refusal = OrderRefused("POST /order: HTTP 400")
    bot.look(("47000", "47001"))
    bot.ledger.keep_position(bot.order_service.binding, Position())
    bot.look(Unavailable("down"))
    assert told == [True, False, False, False, False, True, True]


def test_look_at_a_short_judges_the_ask_and_buys_back(bot: Bot) -> None:
    bot.enter("50000", short=True)
    assert bot.look(("52499", "52499.99")) is None
    assert bot.holds
    assert bot.look(("52000", "52500")) is None
    assert not bot.holds
    assert bot.guards == ["stop_loss"]
    assert bot.exchange.account.free("BTC") == 1


@pytest.mark.says("stop_loss_unknown")
def test_look_at_a_book_that_cannot_be_read_says_so_and_tries_again(bot: Bot) -> None:
    fault = bot.look(Unavailable("GET /market/depth: HTTP 500"))
    assert fault == "stop loss 5 % cannot be judged: GET /market/depth: HTTP 500"
    bot.look(Unavailable("GET /market/depth: HTTP 500"))
    assert bot.said == ["stop_loss_unknown"], "once a minute"
    assert bot.holds and bot.guards == []
    assert bot.look(("47000", "47001")) is None
    assert not bot.holds


def test_look_during_a_ban_says_nothing_of_its_own(bot: Bot) -> None:
    fault = bot.look(Banned("banned for another 60 s", 60.0))
    assert fault is not None and "banned" in fault
    assert bot.said == []
    assert bot.holds


def test_look_at_a_book_with_a_far_bid_believes_the_second_answer(bot: Bot) -> None:
    fault = bot.look(("1", "47000"), ("49999", "50000"))
    assert fault is not None and "one answer said 1, the next one 49999" in fault
    assert bot.holds and bot.guards == []
    assert bot.look(("20000", "50000"), ("20000", "50000")) is None
    assert not bot.holds, "nobody pays more"


def test_look_with_an_unknown_entry_price_reads_and_sells_nothing(bot: Bot) -> None:
    bot.enter(None)
    fault = bot.look(("1", "1.01"))
    assert fault is not None and "entry price of the position is not known" in fault
    assert bot.exchange.reads == 0
    assert bot.holds


def test_an_absurd_price_that_the_next_answer_does_not_bear_out_sells_nothing(bot: Bot) -> None:
    fault = bot.look(("500", "500.1"), ("50000", "50001"))
    assert fault is not None and "one answer said 500, the next one 50000" in fault
    assert bot.holds and bot.guards == []


def test_a_price_that_has_really_halved_sells(bot: Bot) -> None:
    assert bot.look(("20000", "20001"), ("20100", "20101")) is None
    assert not bot.holds
    assert "20100 is 59.8 % below" in bot.reporter.snapshot.guards[0]["detail"]


def test_a_sale_that_fails_is_tried_again_after_a_second_whatever_the_price(bot: Bot) -> None:
    bot.exchange.refusal = OrderRefused("POST /order: HTTP 400")
    fault = bot.look(("47000", "47001"))
    assert fault is not None and "could not be closed, it is tried again" in fault
    assert bot.reporter.snapshot.liquidation_failed
    assert bot.guards == ["stop_loss"]
    reads, sent = bot.exchange.reads, bot.exchange.asked
    assert bot.look(Unavailable("down")) == fault
    assert bot.exchange.asked == sent, "not within a second"
    bot.exchange.pass_time(RETRY)
    assert bot.look(Unavailable("down")) is not None
    assert bot.exchange.asked == sent + 1
    bot.restart()
    assert bot.look(Unavailable("down")) is not None, "the next process goes on with it"
    bot.exchange.refusal = None
    bot.exchange.pass_time(RETRY)
    assert bot.look(("60000", "60001")) is None
    assert not bot.holds
    assert bot.exchange.reads == reads, "what was decided needs no price"
    assert not bot.reporter.snapshot.liquidation_failed
    assert "liquidation_recovered" in bot.said
    assert bot.said.count("liquidation_attempt_failed") == 2, "once a minute in each process"


def test_a_sale_that_fails_goes_on_after_a_release_on_paper_which_frees_entries_then(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.exchange.refusal = OrderRefused("POST /order: HTTP 400")
    bot.look(("47000", "47001"))
    words = [True]
    monkeypatch.setattr(bot.ledger, "may_reenter", lambda: bool(words) and words.pop())
    bot.exchange.pass_time(RETRY)
    assert bot.look(("60000", "60001")) is not None, "the price is better, and the decision stands"
    bot.exchange.refusal = None
    bot.exchange.pass_time(RETRY)
    assert bot.look(("60000", "60001")) is None
    assert not bot.holds
    assert bot.guards == ["stop_loss"]
    bot.order(Purpose.ENTRY, D("0.01"))
    assert bot.guards == []


def test_a_position_that_something_else_closed_ends_the_alarm(bot: Bot) -> None:
    bot.exchange.refusal = OrderRefused("POST /order: HTTP 400")
    bot.look(("47000", "47001"))
    bot.ledger.keep_position(bot.order_service.binding, Position())
    assert bot.look(("47000", "47001")) is None
    assert not bot.reporter.snapshot.liquidation_failed


@pytest.mark.parametrize("short", [False, True])
def test_an_alarm_of_an_earlier_process_ends_with_the_sale(bot: Bot, short: bool) -> None:
    bot.enter("50000", short=short)
    bot.exchange.refusal = OrderRefused("POST /order: HTTP 400")
    bot.look(("53000", "53001") if short else ("47000", "47001"))
    text = next(row.text for row in logged(bot.ledger) if row.event == "liquidation_failed")
    open_now = "coins sold short are open" if short else "0.02 BTC are open"
    assert open_now in text
    assert bot.ledger.failing()[0] is not None
    bot.reporter.update(liquidation_failed=False)
    bot.restart()
    bot.exchange.refusal = None
    assert bot.look(Unavailable("down")) is None
    assert not bot.holds
    assert bot.ledger.failing() == (None, None)


def test_guard_outlasts_processes_and_ends_with_a_release(bot: Bot) -> None:
    bot.look(("47000", "47001"))
    bot.restart()
    assert bot.guards == ["stop_loss"]
    with pytest.raises(GuardRefused):
        bot.order(Purpose.ENTRY, D("0.01"))
    bot.order_service.guards.begin_anew()
    assert bot.guards == []
    bot.order(Purpose.ENTRY, D("0.01"))


def test_a_guard_that_could_not_be_written_is_written_on_the_next_tick(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise LedgerUnavailable("the database is locked")

    with monkeypatch.context() as locked:
        locked.setattr(bot.ledger, "keep_guard", fails)
        assert bot.look(("47000", "47001")) is None
        assert not bot.holds
    bot.order_service.guards.begin_tick()
    bot.restart()
    assert bot.guards == ["stop_loss"], "the next process knows of it"


def test_a_large_book_that_cannot_be_read_leaves_the_next_look_a_small_one(bot: Bot) -> None:
    spec = parse_row(bot_row())
    context = TickContext(
        StrategyRun(spec, TrialTrading(), NoState(), 5.0),
        NoState(),
        bot.exchange,
        bot.order_service,
        bot._services.record,
        StrategyTime(bot.ledger, spec.binding),
    )
    bot.exchange.books = [("50000", "50001")]
    context.depth(1000)
    context.begin_tick(NOON)
    bot.exchange.largest = 100
    with pytest.raises(Unavailable):
        context.book()
    context.begin_tick(NOON)
    with pytest.raises(Unavailable):
        context.depth(1000)
    context.begin_tick(NOON)
    assert context.book().best_bid == D(50_000)


def test_dust_is_no_position_to_sell(bot: Bot) -> None:
    dust = Position(tracked=D("0.000001"), entry_price=D(50_000), dust=True)
    bot.ledger.keep_position(bot.order_service.binding, dust)
    assert bot.look(("1000", "1001")) is None
    assert (bot.exchange.reads, bot.exchange.sent) == (0, [])


steps = st.lists(st.integers(min_value=-600, max_value=600), min_size=1, max_size=40)


@given(steps, st.booleans())
def test_any_walk_of_the_price_sells_at_the_first_look_at_or_beyond_and_never_before(
    walk: list[int], short: bool
) -> None:
    clock = SimulatedClock(NOON)
    with installed(clock):
        bot = Bot(Market(clock))
        bot.enter("50000", short=short)
        price, path = 50_000, []
        for step in walk:
            price += step
            path.append(price)
        due = [price >= 52_500 if short else price <= 47_500 for price in path]
        for at, price in enumerate(path):
            bid, ask = (price - 1, price) if short else (price, price + 1)
            bot.look((str(bid), str(ask)))
            assert bot.holds is not any(due[: at + 1])
        assert len(bot.exchange.sent) == int(any(due))
