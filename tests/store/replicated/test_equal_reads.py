"""Random operations: the store of several hosts answers as the SQLite store does, also on the next host."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from store.test_fence_conformance import ACCOUNT_READS, BOT_READS
from support.dumps import dump
from support.ledger_samples import AT, BINDING, fill, intent, order
from support.shared_memory import Fault
from support.store_backends import Backend, ReplicatedBackend, SqliteBackend

from execsvc.clock import SimulatedClock, installed
from execsvc.errors import LedgerFailed
from execsvc.model.market import Limits
from execsvc.model.order import OrderState, Side
from execsvc.model.refusal import SizeAnswer
from execsvc.store.account_store import AccountStore
from execsvc.store.bot_store import BotStore
from execsvc.store.store import BotRecordsStore
from execsvc.store.tripped import Tripped

Operation = Callable[[BotStore, AccountStore], object]
numbers = st.integers(1, 3)
states = st.sampled_from([OrderState.EXECUTED, OrderState.CONTESTED])


def on_bot(call: Callable[[BotStore], object]) -> Operation:
    return lambda bot, _: call(bot)


def on_account(call: Callable[[AccountStore], object]) -> Operation:
    return lambda _, account: call(account)


operations: st.SearchStrategy[Operation] = st.one_of(
    numbers.map(lambda n: on_account(lambda account: account.begin(intent(n)))),
    st.tuples(numbers, states).map(
        lambda of: on_account(lambda account: account.outcome(f"c{of[0]}", of[1], fill(), AT))
    ),
    numbers.map(lambda n: on_account(lambda account: account.adopted(f"c{n}"))),
    numbers.map(lambda n: on_account(lambda account: account.keep_doubts([], f"s{n}", ["b1"]))),
    st.tuples(numbers, st.sampled_from(Side)).map(
        lambda of: on_bot(lambda bot: bot.book(BINDING, order(*of)))
    ),
    numbers.map(lambda n: on_bot(lambda bot: bot.keep_state("s", f'{{"n":{n}}}'))),
    st.just(on_bot(lambda bot: bot.keep_state("s", None))),
    numbers.map(lambda n: on_bot(lambda bot: bot.keep_limits("k1", f"C{n}/USDT", Limits()))),
    numbers.map(lambda n: on_bot(lambda bot: bot.keep_guard(Tripped(f"g{n}", "5", AT, "lost")))),
    numbers.map(lambda n: on_bot(lambda bot: bot.drop_guard(f"g{n}"))),
    numbers.map(
        lambda n: on_bot(
            lambda bot: bot.add_size_answer(
                "k1", "BTC/USDT", SizeAnswer(f"c{n}", Side.SELL, fill().filled, None, None, AT), AT
            )
        )
    ),
    st.just(on_bot(lambda bot: bot.forget_size_answers())),
    numbers.map(lambda n: on_bot(lambda bot: bot.note_intent(intent(n)))),
    st.just(on_bot(lambda bot: bot.log(AT, "bot_flat", "text", {}))),
    st.just(on_bot(lambda bot: bot.abandon(AT))),
)


class Running:
    """The records of a bot and its account in one store, open."""

    def __init__(self, store: BotRecordsStore, stack: ExitStack) -> None:
        self.bot = stack.enter_context(closing(store.bot("b1", reports=True)))
        self.bot.open()
        self.bot.bind(BINDING, 5)
        self.account = stack.enter_context(closing(store.account("k1")))

    def do(self, operation: Operation) -> str:
        """Carry out the operation. Returns the kind of its failure."""
        try:
            operation(self.bot, self.account)
        except LedgerFailed as error:
            return type(error).__name__
        return ""

    def seen(self) -> dict[str, str]:
        """The answers to every question, with failures; a doubt about the machine is not compared."""
        asked = {
            **{name: (read, self.bot) for name, read in BOT_READS.items()},
            **{name: (read, self.account) for name, read in ACCOUNT_READS.items()},
        }
        return {name: _answer(read, of) for name, (read, of) in asked.items()}


def _answer(read: Callable[..., object], of: object) -> str:
    try:
        return repr(read(of))
    except LedgerFailed as error:
        return type(error).__name__


def opened(backend: Backend, stack: ExitStack) -> Running:
    store = backend.service("one")
    assert store.claims().take("k1") is None
    return Running(store, stack)


@settings(max_examples=15)
@given(st.lists(st.tuples(operations, st.sampled_from([None, None, None, *Fault])), max_size=25))
def test_reads_are_those_of_the_sqlite_store_before_and_after_a_takeover(
    steps: list[tuple[Operation, Fault | None]],
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        installed(SimulatedClock(AT)) as _,
        ExitStack() as stack,
    ):
        paths = [Path(folder, name) for name in ("sqlite", "replicated")]
        for path in paths:
            path.mkdir()
        hosts = ReplicatedBackend(paths[1])
        plain, copies = opened(SqliteBackend(paths[0]), stack), opened(hosts, stack)
        for operation, fault in steps:
            disturb(hosts, copies, operation, fault)
            assert copies.do(operation) == plain.do(operation)
        seen = plain.seen()
        assert copies.seen() == seen
        before = dump(copies.bot.connection), dump(copies.account.connection)  # type: ignore[attr-defined]
        copies.bot.send()  # type: ignore[attr-defined]
        copies.account.send()  # type: ignore[attr-defined]
        hosts.seize("k1", "two")
        theirs = Running(hosts.service("two"), stack)
        theirs.account.unsettled()
        after = dump(theirs.bot.connection), dump(theirs.account.connection)  # type: ignore[attr-defined]
        assert after == before
        assert {**theirs.seen(), "fence": ""} == {**seen, "fence": ""}


def disturb(
    hosts: ReplicatedBackend, copies: Running, operation: Operation, fault: Fault | None
) -> None:
    """Try the operation without success first, where that leaves nothing behind."""
    if fault not in (Fault.NOT_REACHED, Fault.LOST_REQUEST, Fault.REFUSED):
        return
    before = copies.seen()
    kept = dump(copies.bot.connection), dump(copies.account.connection)  # type: ignore[attr-defined]
    with hosts.shared.failing(fault):
        failed = copies.do(operation)
    if failed:
        assert copies.seen() == before
        after = dump(copies.bot.connection), dump(copies.account.connection)  # type: ignore[attr-defined]
        if failed in ("ClaimLost", "LedgerUnavailable", "WriteUnknown"):
            assert after == kept
