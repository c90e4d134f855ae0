"""The conditions of the service and its bots."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from support.facts import AT, BINDING, HELD, bot, facts, ledger, running

from execsvc.clock import now
from execsvc.model.bot import BotSpec
from execsvc.model.condition import Kind, Severity
from execsvc.store.abandoned import Abandoned
from execsvc.store.bot_state import LedgerState
from execsvc.store.halted import Halted
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_records import Hold
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.listing.absence import Pending
from execsvc.supervisor.status.conditions import conditions, left_open, subject
from execsvc.supervisor.status.facts import Facts, Polled

HELD_BACK = (
    "6 bots are missing from the listing, of 8 that have a runner or a position: "
    "no bot is stopped yet, poll 1 of 3"
)
WAY_OUT = "what can never be sold is given up by: execsvc release b1 --abandon"
STALE = Polled(5.0, 99.4, AT, 3, "HTTP 500", Pending(6, 8, 1, 3))


def open_ledger(**changes: bool) -> LedgerState:
    return ledger(position=HELD, **changes)


def kinds(given: Facts, left: frozenset[str] = frozenset()) -> list[Kind]:
    return [wrong.kind for wrong in conditions(given, left)]


def test_each_kind_has_its_words_and_its_key() -> None:
    left = open_ledger(failing=True).model_copy(update={"contested": 2})
    failed = bot(state=State.FAILED, hold=Hold(State.FAILED, "no disk"), ledger=left)
    found = conditions(facts(failed, polled=STALE), frozenset({"b1"}))
    assert {wrong.key: (wrong.text, wrong.degrades) for wrong in found} == {
        "listing:": ("no good listing for 99 s: HTTP 500", True),
        "mass_stop:": (HELD_BACK, False),
        "failed:b1": ("bot b1 (My bot) is FAILED: no disk", True),
        "liquidation:b1": (
            f"bot b1 (My bot): a liquidation failed and its position is open (no disk); {WAY_OUT}",
            True,
        ),
        "contested:b1": ("bot b1 (My bot): 2 contested, see execsvc settle", True),
        "left:b1": ("bot b1 (My bot): its position was left open when the service stopped", False),
    }
    assert {wrong.kind for wrong in found if wrong.severity is Severity.WARNING} == {Kind.LISTING}


def test_records_that_were_lost_to_another_host_are_no_condition_here() -> None:
    for elsewhere, found in ((None, [Kind.UNAVAILABLE]), ("account k1 is with host b", [])):
        lost = bot(state=State.BACKOFF, outage="the claim is lost", elsewhere=elsewhere)
        assert kinds(facts(lost)) == found


def test_a_halt_is_one_condition_of_the_service_while_it_runs() -> None:
    halted = Halted(since="2026-01-02T03:04:05.000Z", reason="the exchange lies")
    (wrong,) = conditions(facts(bot(), halted=halted))
    assert (wrong.key, wrong.degrades, wrong.severity) == ("halted:", True, Severity.CRITICAL)
    assert wrong.text == "trading is halted: the exchange lies"
    assert wrong.why == "since 2026-01-02T03:04:05.000Z: the exchange lies"
    assert kinds(facts(halted=halted, service=ServiceMode.KEEP)) == []


def test_a_day_that_a_loss_has_ended_is_told_and_degrades_nothing() -> None:
    guards = [
        {"guard": name, "since": "2026-01-02T03:04:05.000Z", "detail": "-7 realised"}
        for name in ("order_rate", "daily_loss")
    ]
    (wrong,) = conditions(facts(bot(owner=running(guards=guards)), bot(owner=running())))
    assert (wrong.kind, wrong.severity, wrong.degrades) == (
        Kind.DAILY_LOSS,
        Severity.WARNING,
        False,
    )
    assert wrong.text == "bot b1 (My bot): no more entries today: -7 realised"


def test_conditions_of_a_stop_loss_that_is_reached_tell_it_and_degrade_nothing() -> None:
    guards = [
        {"guard": "stop_loss", "since": "2026-01-02T03:04:05.000Z", "detail": "stop loss 5 %"}
    ]
    (wrong,) = conditions(facts(bot(owner=running(guards=guards)), bot(owner=running())))
    assert (wrong.kind, wrong.severity, wrong.degrades) == (Kind.STOP_LOSS, Severity.WARNING, False)
    assert wrong.text == "bot b1 (My bot): no more entries: stop loss 5 %"


def test_listings_are_no_matter_while_the_service_stops() -> None:
    assert kinds(facts(polled=STALE)) == [Kind.LISTING, Kind.MASS_STOP]
    assert kinds(facts(polled=STALE, service=ServiceMode.LIQUIDATE)) == []


@pytest.mark.parametrize(
    ("seen", "stands"),
    [
        (bot(ledger=open_ledger()), True),
        (bot(ledger=ledger()), False),
        (bot(ledger=open_ledger(), owner=running()), False),
        (bot(unreadable="it is no database"), True),
    ],
)
def test_what_a_stop_left_open_stands_until_it_is_closed_or_traded(seen: Bot, stands: bool) -> None:
    assert (Kind.LEFT in kinds(facts(seen), frozenset({"b1"}))) is stands
    assert Kind.LEFT not in kinds(facts(seen))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (bot(ledger=open_ledger()), "My bot (b1), BTC/USDT, tracked 0.01998"),
        (bot(owner=running()), "My bot (b1), BTC/USDT, tracked 0.01998"),
        (bot(ledger=ledger()), "My bot (b1), BTC/USDT"),
        (bot(row=None), "b1"),
        (bot(row=None, unreadable="x"), "b1, tracked unknown"),
        (bot(row=BotSpec(bot_id="b1", name="b1", binding=BINDING, params={})), "b1, BTC/USDT"),
    ],
)
def test_who_it_is_about(seen: Bot, words: str) -> None:
    assert subject(seen) == words
    assert left_open(seen).subject == words


@pytest.mark.parametrize(("unread", "stands"), [(0.0, False), (59.9, False), (61.4, True)])
def test_bot_that_read_nothing_for_a_minute_degrades(unread: float, stands: bool) -> None:
    seen = facts(bot(owner=running(unread=unread, last_error="GET /balance: down")))
    found = conditions(seen)
    assert [wrong.key for wrong in found] == (["reads:b1"] if stands else [])
    for wrong in found:
        assert (wrong.degrades, wrong.severity) == (True, Severity.WARNING)
        assert wrong.text == (
            "bot b1 (My bot) has not ticked for 61 s, its reads fail: GET /balance: down"
        )


@pytest.mark.parametrize(("unjudged", "stands"), [(0.0, False), (59.9, False), (61.4, True)])
def test_bot_whose_stop_loss_cannot_be_judged_for_a_minute_degrades(
    unjudged: float, stands: bool
) -> None:
    seen = facts(bot(owner=running(unjudged=unjudged, last_error="stop loss 5 %: HTTP 500")))
    found = conditions(seen)
    assert [wrong.key for wrong in found] == (["reads:b1"] if stands else [])
    for wrong in found:
        assert (wrong.degrades, wrong.severity) == (True, Severity.WARNING)
        assert wrong.text == (
            "bot b1 (My bot): its stop loss could not be judged for 61 s: stop loss 5 %: HTTP 500"
        )


def test_bot_that_reads_nothing_at_all_is_told_of_once() -> None:
    seen = facts(bot(owner=running(unjudged=70.0, unread=75.0)))
    assert [wrong.key for wrong in conditions(seen)] == ["reads:b1"]


def test_abandoned_position_is_critical_and_degrades_nothing() -> None:
    gone = Abandoned(
        at=now(),
        mode=BINDING.mode,
        key_id="k1",
        symbol="BTC/USDT",
        tracked=Decimal("0.5"),
        sold_short=Decimal(0),
    )
    old = gone.model_copy(update={"at": now() - timedelta(days=1, seconds=1)})
    (wrong,) = conditions(facts(bot(ledger=ledger(abandoned=[old, gone]))))
    assert (wrong.kind, wrong.severity, wrong.degrades) == (
        Kind.ABANDONED,
        Severity.CRITICAL,
        False,
    )
    assert wrong.why.startswith("0.5 BTC (BTC/USDT, key k1) booked as abandoned")
    assert not conditions(facts(bot(ledger=ledger(abandoned=[old]))))
