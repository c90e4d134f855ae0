"""The shape of ``/status`` and ``/health``."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from support.facts import AT, BINDING, HELD, bot, facts, ledger, running

from execsvc.clock import iso, now
from execsvc.model.bot import BotSpec, InvalidRow
from execsvc.model.result import Result
from execsvc.runner.report import Snapshot, shown
from execsvc.store.halted import Halted
from execsvc.store.tripped import Tripped
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_records import Hold
from execsvc.supervisor.bots.next_step import Listed, ServiceMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.listing.absence import Pending
from execsvc.supervisor.status.facts import Polled
from execsvc.supervisor.status.status import health, status

EARNED = Result(currency="USDT", realised=Decimal("12.50"), today=Decimal(-1), day=AT.date())
GUARD = {"guard": "daily_loss", "since": "2026-01-02T03:04:05.000Z", "detail": "too much"}


def test_the_whole_document() -> None:
    run = running(ticks=31, last_tick_at="2026-01-02T03:04:05.000Z", result=EARNED, guards=[GUARD])
    document = status(facts(bot(owner=run, state=State.RUNNING)))
    assert document == {
        "service": "execution-service",
        "version": "0.1.0",
        "pid": 4242,
        "state": "RUNNING",
        "started_at": "2026-01-02T03:04:05.000Z",
        "uptime_sec": 12.346,
        "halted": None,
        "poll": {
            "interval_sec": 5.0,
            "last_success_at": "2026-01-02T03:04:05.000Z",
            "consecutive_failures": 0,
            "last_error": None,
            "pending_mass_stop": None,
        },
        "reports": None,
        "running_bots": 1,
        "counts": {"RUNNING": 1},
        "active_runners": ["b1"],
        "bots": [
            {
                "bot_id": "b1",
                "name": "My bot",
                "strategy": "test_trading_v1",
                "symbol": "BTC/USDT",
                "key_id": "k1",
                "mode": "LIVE",
                "state": "RUNNING",
                "pid": 4250,
                "started_at": "2026-01-02T03:04:05.000Z",
                "restarts": 0,
                "ticks": 31,
                "last_tick_at": "2026-01-02T03:04:05.000Z",
                "consecutive_errors": 0,
                "last_error": None,
                "position": {
                    "side": "BUY",
                    "tracked": "0.01998",
                    "sold_short": "0",
                    "entry_price": "50000.25",
                    "opened_at": "2026-01-02T03:04:05.000Z",
                },
                "result": {"currency": "USDT", "realised": "12.5", "today": "0"},
                "guards": [GUARD],
                "abandoned": [],
            }
        ],
    }


def test_how_the_reports_go() -> None:
    going = {"pending": 3, "last_error": "POST /orders: HTTP 500"}
    assert status(facts(reports=going))["reports"] == going


def test_every_bot_has_every_member_whatever_is_known_of_it() -> None:
    bare = Bot("b2")
    row = InvalidRow(name="No id", reason="id is missing")
    documents = status(facts(bot(owner=running()), bare, nameless=[row]))["bots"]
    assert all(list(document) == list(documents[0]) for document in documents)
    assert documents[1]["name"] == "b2"
    assert [documents[2][name] for name in ("bot_id", "name", "state", "last_error")] == [
        *("", "No id", "INVALID", "id is missing"),
    ]


def test_status_rows_without_an_id_that_are_alike_are_shown_and_counted_each() -> None:
    row = InvalidRow(name="No id", reason="id is missing")
    document = status(facts(bot(), nameless=[row] * 5))
    assert [one["name"] for one in document["bots"]] == ["My bot", *["No id"] * 5]
    assert document["counts"] == {"INVALID": 5, "STOPPED": 1}


def test_status_active_runners_are_the_bots_with_a_process() -> None:
    closing = bot(bot_id="b2", owner=running(phase="STOPPING"), state=State.LIQUIDATING)
    document = status(facts(bot(owner=running()), closing, bot(bot_id="b3")))
    assert document["active_runners"] == ["b1", "b2"]
    with_pid = [one["bot_id"] for one in document["bots"] if one["pid"] is not None]
    assert with_pid == document["active_runners"]


@pytest.mark.parametrize(
    ("seen", "name"),
    [
        (bot(), "My bot"),
        (bot(row=None), "b1"),
        (bot(row=None, listed=Listed.INVALID, invalid_name="No symbol"), "No symbol"),
        (bot(row=None, listed=Listed.INVALID), "b1"),
        (bot(listed=Listed.INVALID, invalid_name="Renamed"), "Renamed"),
        (bot(listed=Listed.INVALID, invalid_name="Renamed", owner=running()), "My bot"),
    ],
)
def test_status_name_of_a_row_that_cannot_be_used_is_shown(seen: Bot, name: str) -> None:
    assert status(facts(seen))["bots"][0]["name"] == name


def test_before_a_runner_speaks_its_ledger_does() -> None:
    waiting = bot(owner=running(phase="BOOTING"), ledger=ledger(position=HELD))
    assert status(facts(waiting))["bots"][0]["position"] == shown(HELD)


def test_a_result_comes_from_the_process_else_from_the_ledger() -> None:
    today = EARNED.model_copy(update={"day": now().date()})
    told = {"currency": "USDT", "realised": "12.5", "today": "-1"}
    unknown = {"currency": "USDT", "realised": None, "today": None}
    for made, result in (
        (bot(), {"currency": "USDT", "realised": "0", "today": "0"}),
        (bot(owner=running(result=today), ledger=ledger()), told),
        (bot(owner=running(phase="BOOTING"), ledger=ledger(result=today)), told),
        (bot(ledger=ledger(result=today)), told),
        (bot(ledger=ledger()), unknown),
        (bot(owner=running(), ledger=ledger(result=today)), unknown),
        (bot(unreadable="damaged"), unknown),
    ):
        assert status(facts(made))["bots"][0]["result"] == result


def test_without_a_process_a_day_that_ended_is_all_that_is_shown_of_guards() -> None:
    def shown_of(made: Bot) -> list[str]:
        return [guard["since"] for guard in status(facts(made))["bots"][0]["guards"]]

    today = Tripped("daily_loss", "5 USDT LIVE", now(), "too much")
    yesterday = today._replace(since=now() - timedelta(days=1))
    assert shown_of(bot(last=Snapshot(guards=[GUARD]))) == []
    assert shown_of(bot(ledger=ledger(daily_loss=today))) == [iso(today.since)]
    assert shown_of(bot(ledger=ledger(daily_loss=yesterday))) == []
    booting = bot(owner=running(phase="BOOTING"), ledger=ledger(daily_loss=today))
    assert shown_of(booting) == [iso(today.since)]
    assert shown_of(bot(owner=running(), ledger=ledger(daily_loss=today))) == []


def test_status_without_a_process_shows_a_stop_loss_until_its_user_stops_the_bot() -> None:
    def shown_of(made: Bot) -> list[str]:
        return [guard["guard"] for guard in status(facts(made))["bots"][0]["guards"]]

    reached = Tripped("stop_loss", "5 USDT LIVE", now() - timedelta(days=9), "stop loss 5 %")
    assert shown_of(bot(ledger=ledger(stop_loss=reached))) == ["stop_loss"]
    booting = bot(owner=running(phase="BOOTING"), ledger=ledger(stop_loss=reached))
    assert shown_of(booting) == ["stop_loss"]
    assert shown_of(bot(owner=running(), ledger=ledger(stop_loss=reached))) == []
    assert shown_of(bot(ledger=ledger(stop_loss=reached), listed=Listed.GONE)) == []


def test_a_mass_stop_that_waits_is_shown() -> None:
    polled = Polled(5.0, 1.0, None, 2, "HTTP 500", Pending(6, 8, 1, 3))
    poll = status(facts(polled=polled))["poll"]
    assert poll["pending_mass_stop"] == {"bots": 6, "of": 8, "polls": 1, "needed": 3}
    assert (poll["last_success_at"], poll["last_error"]) == (None, "HTTP 500")


def test_all_is_well() -> None:
    held = bot(hold=Hold(State.HELD, "x"), state=State.HELD)
    assert health(facts(bot(owner=running()), held)) == {
        "status": "ok",
        "service": "execution-service",
        "reasons": [],
    }


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (bot(state=State.FAILED, hold=Hold(State.FAILED, "no disk")), "is FAILED: no disk"),
        (bot(state=State.LIQUIDATING, hold=Hold(State.FAILED, "x")), "is FAILED"),
        (bot(owner=running(liquidation_failed=True)), "liquidation failed"),
        (bot(liquidation_failed=True, ledger=ledger(position=HELD)), "liquidation failed"),
        (bot(ledger=ledger(position=HELD, failing=True)), "liquidation failed"),
        (bot(owner=running(contested=2)), "2 contested"),
        (bot(ledger=ledger(contested=1)), "1 contested"),
    ],
)
def test_degraded(wrong: Bot, words: str) -> None:
    document = health(facts(wrong, bot(owner=running())))
    assert document["status"] == "degraded"
    (reason,) = document["reasons"]
    assert words in reason
    assert "b1" in reason


@pytest.mark.parametrize(("age", "state"), [(15.0, "ok"), (15.1, "degraded")])
def test_degraded_when_the_last_good_listing_is_older_than_three_intervals(
    age: float, state: str
) -> None:
    document = health(facts(polled=Polled(5.0, age, AT, 3, "refused", None)))
    assert document["status"] == state


def test_a_cause_each() -> None:
    failed = bot(state=State.FAILED, hold=Hold(State.FAILED, "x"), ledger=ledger(contested=1))
    reasons = health(facts(failed, polled=Polled(5.0, 99.0, None, 3, "x", None)))["reasons"]
    assert len(reasons) == 3


def test_a_position_that_was_closed_at_last_is_no_reason() -> None:
    assert health(facts(bot(liquidation_failed=True, ledger=ledger())))["status"] == "ok"


HALT = Halted(since="2026-01-02T03:04:05.000Z", reason="the exchange lies")
HALT_TEXT = "trading is halted: the exchange lies"


def test_a_halt_is_shown_and_degrades() -> None:
    assert status(facts(halted=HALT))["halted"] == {
        "since": "2026-01-02T03:04:05.000Z",
        "reason": "the exchange lies",
    }
    assert health(facts(bot(), halted=HALT)) == {
        "status": "degraded",
        "service": "execution-service",
        "reasons": [HALT_TEXT],
    }


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (bot(), HALT_TEXT),
        (bot(error="no bid"), f"{HALT_TEXT}; no bid"),
        (bot(state=State.LIQUIDATING), HALT_TEXT),
        (bot(state=State.STOPPING, owner=running()), HALT_TEXT),
        (bot(state=State.HELD, hold=Hold(State.HELD, "by hand")), "by hand"),
        (bot(state=State.INVALID, listed=Listed.INVALID, row_error="no symbol"), "no symbol"),
        (bot(listed=Listed.GONE), None),
    ],
)
def test_in_a_halt_last_error_says_why_a_bot_does_not_run(seen: Bot, said: str | None) -> None:
    assert status(facts(seen, halted=HALT))["bots"][0]["last_error"] == said


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (bot(listed=Listed.GONE, error="killed by SIGKILL"), None),
        (bot(listed=Listed.GONE, last=Snapshot(last_error="no bid")), None),
        (bot(listed=Listed.GONE, error="no bid", ledger=ledger(position=HELD)), "no bid"),
        (bot(listed=Listed.GONE, error="no bid", state=State.LIQUIDATING), "no bid"),
        (bot(error="killed by SIGKILL", owner=running(), state=State.RUNNING), "killed by SIGKILL"),
        (bot(listed=Listed.GONE, unreadable="damaged", current=False), "damaged"),
    ],
)
def test_status_last_error_of_a_bot_that_is_stopped_and_flat_is_empty(seen: Bot, said: str) -> None:
    assert status(facts(seen))["bots"][0]["last_error"] == said


@pytest.mark.parametrize("name", ["My bot", "x" * 200])
def test_health_reasons_name_the_bot_beside_its_id(name: str) -> None:
    row = BotSpec(bot_id="b1", name=name, binding=BINDING, params={})
    failed = bot(row=row, state=State.FAILED, hold=Hold(State.FAILED, "no disk"))
    short = name if len(name) < 60 else "x" * 59 + "…"
    assert health(facts(failed))["reasons"] == [f"bot b1 ({short}) is FAILED: no disk"]


@pytest.mark.parametrize("service", [ServiceMode.LIQUIDATE, ServiceMode.KEEP])
def test_stopping(service: ServiceMode) -> None:
    assert health(facts(service=service))["status"] == "stopping"
    assert status(facts(service=service))["state"] == "STOPPING"
