"""The journal of an account: one order at a time, by the arrows of TRANSITIONS."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from sqlite3 import connect

import pytest
from loguru import logger
from support.clocks import HOUR, SetClock
from support.ledger_samples import AT, BINDING, fill, intent

from execsvc.clock import installed, now
from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.model.order import TRANSITIONS, Fill, OrderState
from execsvc.store.account_store import NEVER_PAUSED
from execsvc.store.orders import Expected
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.account.account_pause import PauseFiles
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.paths import journal_path
from execsvc.store.sqlite.service import operator, survey

D = Decimal
NOTHING = Fill(filled=D(0))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[AccountJournal]:
    made = AccountJournal(tmp_path, "k1")
    yield made
    made.close()


def bring(journal: AccountJournal, state: OrderState) -> None:
    """A new order, brought to ``state`` by allowed steps."""
    journal.begin(intent())
    if state is OrderState.UNKNOWN:
        journal.unknown("c1", AT, D(0), "no answer")
    elif state is not OrderState.IN_FLIGHT:
        journal.outcome("c1", state, fill(), AT)


ARROWS = [(one, other) for one in OrderState for other in OrderState]


@pytest.mark.parametrize(("one", "other"), ARROWS)
def test_only_the_arrows_are_gone(
    journal: AccountJournal, one: OrderState, other: OrderState
) -> None:
    bring(journal, one)
    before = journal.row("c1")

    def go() -> None:
        if other is OrderState.UNKNOWN:
            journal.unknown("c1", AT, D("0.01"), "again")
        else:
            journal.outcome("c1", other, NOTHING, AT + timedelta(1))

    if other in TRANSITIONS[one]:
        go()
        assert journal.row("c1").state is other
        return
    with pytest.raises(LedgerFailed, match="cannot go"):
        go()
    assert journal.row("c1") == before


@pytest.mark.parametrize("state", OrderState)
def test_no_second_order_while_one_is_unsettled(journal: AccountJournal, state: OrderState) -> None:
    bring(journal, state)
    unsettled = journal.unsettled()
    assert (unsettled is not None) == state.unsettled
    if state.unsettled:
        with pytest.raises(LedgerFailed, match="unsettled"):
            journal.begin(intent(2, bot_id="b2"))
    else:
        journal.begin(intent(2, bot_id="b2"))


@pytest.mark.parametrize("state", OrderState)
def test_what_is_settled_is_adopted_once(journal: AccountJournal, state: OrderState) -> None:
    bring(journal, state)
    assert [row.state for row in journal.to_adopt("b1")] == ([] if state.unsettled else [state])
    assert journal.to_adopt("b2") == []
    journal.adopted("c1")
    assert journal.to_adopt("b1") == []


def test_an_intent_comes_back_as_it_was(journal: AccountJournal) -> None:
    journal.begin(intent())
    assert journal.row("c1").intent == intent()
    with pytest.raises(LedgerFailed, match="not in the journal"):
        journal.row("c2")
    with pytest.raises(LedgerFailed, match="cannot go from None"):
        journal.outcome("c2", OrderState.EXECUTED, NOTHING, AT)


def test_an_order_is_never_recorded_twice(journal: AccountJournal) -> None:
    bring(journal, OrderState.EXECUTED)
    with pytest.raises(LedgerFailed):
        journal.begin(intent())


def test_expected_balances(journal: AccountJournal) -> None:
    assert journal.expected("BTC") is None
    bring(journal, OrderState.IN_FLIGHT)
    entry = Expected(amount=D("1.02"), tolerance=D("0.0004"), filled_at=AT)
    journal.outcome("c1", OrderState.EXECUTED, fill(), AT, expected={"BTC": entry})
    kept = journal.expected("BTC")
    assert kept is not None and kept.filled is not None
    assert kept.model_copy(update={"filled": None}) == entry
    assert entry.agrees(D("1.0204"))
    assert not entry.agrees(D("1.02041"))
    assert not entry.agrees(D(1))
    journal.begin(intent(2))
    later = entry.model_copy(update={"amount": D(1)})
    journal.outcome("c2", OrderState.EXECUTED, fill(), AT, expected={"BTC": later})
    kept = journal.expected("BTC")
    assert kept is not None and kept.amount == D(1)
    assert journal.expected("USDT") is None


@pytest.mark.parametrize(
    ("column", "value"),
    [("state", "WHAT"), ("side", "up"), ("amount", "NaN"), ("filled", "-1"), ("created_at", "x")],
)
def test_a_row_that_makes_no_sense_is_a_failed_ledger(
    journal: AccountJournal, tmp_path: Path, column: str, value: str
) -> None:
    bring(journal, OrderState.IN_FLIGHT)
    with closing(connect(journal_path(tmp_path, "k1"))) as connection:
        connection.execute(f"UPDATE intent SET {column}=?", (value,))
        connection.commit()
    with pytest.raises(LedgerFailed):
        journal.row("c1")


def owned(folder: Path) -> None:
    ledger = BotLedger(folder, "b1")
    ledger.open()
    ledger.bind(BINDING, None)
    ledger.close()


def test_an_operator_decides_the_oldest_first(journal: AccountJournal, tmp_path: Path) -> None:
    owned(tmp_path)
    for number in (1, 2):
        journal.begin(intent(number))
        journal.outcome(f"c{number}", OrderState.CONTESTED, NOTHING, AT)
        journal.adopted(f"c{number}")
    state = survey.read(tmp_path, "b1")
    assert state is not None
    assert (state.contested, state.unsettled) == (2, False)
    for wrong in (D("-1"), D("0.0200001")):
        with pytest.raises(ConfigRefused, match=r"0 to 0\.02"):
            operator.settle(tmp_path, "b1", wrong)
    assert "1 more" in operator.settle(tmp_path, "b1", D("0.01"))
    assert [row.fill.filled for row in journal.to_adopt("b1")] == [D("0.01")]
    operator.settle(tmp_path, "b1", D(0))
    assert journal.row("c2").state is OrderState.NOT_EXECUTED
    with pytest.raises(ConfigRefused, match="no order"):
        operator.settle(tmp_path, "b1", D(0))


def test_another_accounts_damage_does_not_stop_an_operator(
    journal: AccountJournal, tmp_path: Path
) -> None:
    bring(journal, OrderState.CONTESTED)
    journal_path(tmp_path, "a0").write_bytes(b"damaged")
    operator.settle(tmp_path, "b1", D(0))
    with pytest.raises(LedgerFailed, match="a0-"):
        operator.settle(tmp_path, "b1", D(0))


def test_a_release_is_carried_out_once(journal: AccountJournal) -> None:
    journal.ask_release("b1", AT)
    journal.ask_release("b1", AT)
    assert journal.release_asked("b1")
    assert not journal.release_asked("b2")
    journal.release_done("b1")
    assert not journal.release_asked("b1")


def test_a_pause_is_shared_and_only_ever_prolonged(tmp_path: Path) -> None:
    one, other = PauseFiles(tmp_path, "k1"), PauseFiles(tmp_path, "k1")
    assert one.remaining() == NEVER_PAUSED
    one.pause(1000)
    other.pause(10)
    assert 900 < other.remaining() <= 1000
    assert PauseFiles(tmp_path, "k2").remaining() == NEVER_PAUSED


@pytest.mark.parametrize("step", [-24 * HOUR, 24 * HOUR])
def test_pause_clock_is_set_ends_when_it_was_to_end(tmp_path: Path, step: float) -> None:
    clock = SetClock(now())
    with installed(clock):
        PauseFiles(tmp_path, "k1").pause(10)
        clock.set_by(step)
        clock.advance(6)
        assert PauseFiles(tmp_path, "k1").remaining() == 4


@pytest.mark.parametrize(("by_older_service", "boots"), [(True, False), (False, True)])
def test_pause_without_its_boot_goes_by_the_wall_clock_which_set_back_ends_it(
    tmp_path: Path, by_older_service: bool, boots: bool
) -> None:
    clock = SetClock(now())
    with installed(clock):
        pause = PauseFiles(tmp_path, "k1")
        pause.pause(10)
        if by_older_service:
            (path,) = tmp_path.rglob("*.pause")
            stamp = path.stat().st_mtime_ns
            path.write_text("")
            os.utime(path, ns=(stamp + 1, stamp + 1))
        clock.advance(5)
        if boots:
            clock.reboot()
        assert 4.9 < pause.remaining() <= 5.1
        clock.set_by(-24 * HOUR)
        assert pause.remaining() <= 0


@pytest.mark.says("account_banned")
def test_a_ban_is_shared_apart_from_a_pause_and_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    handler = logger.add(lambda message: said.append(message.record["message"]), level="WARNING")
    one, other = PauseFiles(tmp_path, "k1"), PauseFiles(tmp_path, "k1")
    assert one.banned() == NEVER_PAUSED
    one.ban(1000, "HTTP 418: teapot")
    other.ban(1100, "HTTP 418: teapot")
    other.ban(10, "HTTP 418: teapot")
    logger.remove(handler)
    assert 900 < one.banned() <= 1100
    assert one.remaining() == NEVER_PAUSED
    assert PauseFiles(tmp_path, "k2").banned() == NEVER_PAUSED
    assert len(said) == 1
    assert said[0].startswith("nothing is read for account k1 until 2")
    assert said[0].endswith("Z, but for exits: HTTP 418: teapot")


def test_the_turn_is_one_at_a_time(tmp_path: Path, journal: AccountJournal) -> None:
    other = AccountJournal(tmp_path, "k1")
    assert journal.turn.try_acquire()
    assert not other.turn.try_acquire()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if not AccountJournal(tmp_path, "k1").turn.try_acquire() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    journal.turn.release()
    assert other.turn.try_acquire()
    other.close()
