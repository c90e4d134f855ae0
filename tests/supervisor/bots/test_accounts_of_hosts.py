"""The reducer of bots where hosts share a store: an account is with this host, or with another one."""

from __future__ import annotations

from datetime import datetime, timezone

from support.facts import HELD, bot, bot_process, ledger
from support.settings import settings

from execsvc.runner.job import Task
from execsvc.runner.report import End, EndKind, Snapshot
from execsvc.supervisor.bots.bot_process import StopMode
from execsvc.supervisor.bots.effects import Act, SendStop
from execsvc.supervisor.bots.facts import (
    AccountAsked,
    AccountSeen,
    Circumstances,
    Ended,
    LedgerFound,
    Unlisted,
)
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.bots.reducer import handle
from execsvc.supervisor.bots.states import State

AT = Circumstances(
    now=1000.0,
    utc=datetime(2026, 1, 2, tzinfo=timezone.utc),
    service=ServiceMode.RUNNING,
    halted=False,
    settings=settings(store_url="postgresql://db/execsvc"),
    jitter=1.0,
)
AWAY = "account k1 is with host b"


def test_account_seen_elsewhere_ends_the_process_without_selling_until_it_is_back() -> None:
    runs = bot(state=State.RUNNING, owner=bot_process(1))
    away, effects = handle(runs, AccountSeen(AWAY), AT)
    assert [one.mode for one in effects if isinstance(one, SendStop)] == [StopMode.KEEP]

    kept = Snapshot(phase="STOPPING", end=End(kind=EndKind.HELD, signal="USR2"))
    found = LedgerFound(ledger(position=HELD))
    rests, _ = handle(away, Ended(1, 0, kept, found), AT)
    assert (rests.state, rests.processes.queued) == (State.BACKOFF, None)
    assert rests.hold_record.hold is None

    _, effects = handle(rests, AccountSeen(None), AT)
    assert effects == (Act.READ_LEDGER,), "the other host has written to the ledger"


def test_account_asked_that_another_host_has_lets_the_bot_rest_and_is_no_failure() -> None:
    before = bot(state=State.BACKOFF, current=True)
    found, _ = handle(before, AccountAsked(Task.TRADE, AWAY), AT)
    assert (found.state, found.hold_record.hold) == (State.BACKOFF, None)
    assert found.known.elsewhere == AWAY


def test_bot_that_is_no_longer_listed_is_not_at_rest_while_another_host_has_its_account() -> None:
    flat = bot(state=State.BACKOFF, current=True, ledger=ledger(), elsewhere=AWAY)
    gone, _ = handle(flat, Unlisted("BotService says STOPPING"), AT)
    assert gone.state is State.STOPPED
    assert not gone.is_at_rest, "its stop is the other host's to report"
    assert gone.keys == {"k1"}, "the bot is looked at again when this host gets the account"
    taken, effects = handle(gone, AccountSeen(None), AT)
    assert effects == (Act.READ_LEDGER,)
    assert not taken.is_at_rest
