"""``execsvc settle`` and ``execsvc release``."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from support.command import ControlSocket, Execsvc
from support.store_files import ledger_path
from support.stores import store_in

from execsvc.model.bot import Binding, Mode
from execsvc.model.order import Fill, Intent, OrderState, Side
from execsvc.model.position import Position

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
BINDING = Binding(mode=Mode.LIVE, key_id="key", symbol="BTC/USDT", strategy="test_trading_v1")
BOT = "bot-1"


def make_bot(state_dir: Path, tracked: str = "0") -> None:
    ledger = store_in(state_dir).bot(BOT)
    ledger.open()
    ledger.bind(BINDING, None)
    ledger.keep_position(BINDING, Position(tracked=Decimal(tracked), opened_at=AT))
    ledger.close()


def contest(state_dir: Path, amount: str) -> str:
    """Leave a contested sell order of ``amount`` in the account's journal; its id."""
    journal = store_in(state_dir).account("key")
    intent = Intent(
        client_order_id="order-1",
        bot_id=BOT,
        key_id="key",
        symbol="BTC/USDT",
        side=Side.SELL,
        amount=Decimal(amount),
        reason="test",
        price=Decimal(50000),
        baseline_base=Decimal(1),
        baseline_quote=Decimal(0),
        created_at=AT,
    )
    journal.begin(intent)
    fill = Fill(filled=Decimal(amount))
    journal.outcome(intent.client_order_id, OrderState.CONTESTED, fill, AT)
    journal.close()
    return intent.client_order_id


def settled(state_dir: Path, order_id: str) -> tuple[OrderState, Decimal]:
    journal = store_in(state_dir).account("key")
    row = journal.row(order_id)
    journal.close()
    return row.state, row.fill.filled


def is_released(state_dir: Path) -> bool:
    journal = store_in(state_dir).account("key")
    asked = journal.release_asked(BOT)
    journal.close()
    return asked


@pytest.mark.parametrize(
    ("filled", "state"), [("0.01", OrderState.EXECUTED), ("0", OrderState.NOT_EXECUTED)]
)
def test_settle_decides_the_order_and_tells_the_daemon(
    filled: str, state: OrderState, execsvc: Execsvc, state_dir: Path, daemon: ControlSocket
) -> None:
    make_bot(state_dir, tracked="0.02")
    order = contest(state_dir, "0.02")

    outcome = execsvc("settle", BOT, "--filled", filled)

    assert outcome.code == 0
    assert settled(state_dir, order) == (state, Decimal(filled))
    assert daemon.told == [{"call": "recheck", "bot_id": BOT}]
    assert order in outcome.out
    assert "the running daemon was told" in outcome.out


def test_settle_and_release_speak_json(
    execsvc: Execsvc, state_dir: Path, daemon: ControlSocket
) -> None:
    make_bot(state_dir, tracked="0.02")
    order = contest(state_dir, "0.02")
    settle = json.loads(execsvc("settle", BOT, "--filled", "0.01", "--json").out)
    assert (settle["bot_id"], settle["daemon_told"]) == (BOT, True)
    assert order in settle["done"]
    release = json.loads(execsvc("release", BOT, "--json", "--no-wait").out)
    assert set(release) == {"bot_id", "done", "daemon_told", "not_carried_out"}


def test_settle_works_without_a_daemon_and_says_so(execsvc: Execsvc, state_dir: Path) -> None:
    make_bot(state_dir)
    order = contest(state_dir, "0.02")

    outcome = execsvc("settle", BOT, "--filled", "0.02")

    assert outcome.code == 0
    assert settled(state_dir, order)[0] is OrderState.EXECUTED
    assert "no daemon" in outcome.out


def test_settle_with_nothing_contested_is_refused(
    execsvc: Execsvc, state_dir: Path, daemon: ControlSocket
) -> None:
    make_bot(state_dir)

    outcome = execsvc("settle", BOT, "--filled", "0")

    assert outcome.code == 78
    assert "contested" in outcome.err
    assert daemon.told == []


def test_settle_of_more_than_was_ordered_is_refused(execsvc: Execsvc, state_dir: Path) -> None:
    make_bot(state_dir)
    order = contest(state_dir, "0.02")

    outcome = execsvc("settle", BOT, "--filled", "0.03")

    assert outcome.code == 78
    assert settled(state_dir, order)[0] is OrderState.CONTESTED


@pytest.mark.parametrize("quantity", ["-1", "nan", "inf", "much", ""])
def test_settle_unusable_quantity_is_wrong_usage(
    quantity: str, execsvc: Execsvc, state_dir: Path
) -> None:
    make_bot(state_dir)
    order = contest(state_dir, "0.02")

    outcome = execsvc("settle", BOT, "--filled", quantity)

    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert settled(state_dir, order)[0] is OrderState.CONTESTED


def test_release_is_recorded_and_the_daemon_told(
    execsvc: Execsvc, state_dir: Path, daemon: ControlSocket
) -> None:
    make_bot(state_dir, tracked="0.02")

    outcome = execsvc("release", BOT, "--no-wait")

    assert outcome.code == 0
    assert is_released(state_dir)
    assert daemon.told == [{"call": "release", "bot_id": BOT}]


def test_release_that_is_carried_out_before_the_command_looks_again_says_its_result(
    execsvc: Execsvc, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bot(state_dir, tracked="0.02")

    def carry_out(*_: object) -> bool:
        account = store_in(state_dir).account("key")
        account.release_done(BOT)
        account.close()
        return True

    monkeypatch.setattr("execsvc.cli.release.notify_daemon", carry_out)
    monkeypatch.setattr("execsvc.cli.release._not_carried_out", lambda *_: None)
    outcome = execsvc("release", BOT)

    assert outcome.code == 0
    assert "no coins are missing, nothing was booked" in outcome.out


def test_release_not_carried_out_in_time_names_the_cause(
    execsvc: Execsvc, state_dir: Path, daemon: ControlSocket
) -> None:
    make_bot(state_dir, tracked="0.02")
    daemon.answers["released"] = [{"state": "RUNNING", "last_error": "AuthenticationError"}]

    outcome = execsvc("release", BOT, "--timeout", "0.6", "--json")

    assert outcome.code == 75
    assert json.loads(outcome.out)["not_carried_out"] == "AuthenticationError"
    assert outcome.err.endswith("if it never can be: execsvc release bot-1 --abandon\n")


def test_release_without_a_daemon_is_not_carried_out(execsvc: Execsvc, state_dir: Path) -> None:
    make_bot(state_dir, tracked="0.02")

    outcome = execsvc("release", BOT)

    assert outcome.code == 75
    assert "the decision takes effect at the next start" in outcome.err
    assert is_released(state_dir)


def test_release_abandon_of_a_bot_without_a_ledger_is_wrong_usage(
    execsvc: Execsvc, daemon: ControlSocket
) -> None:
    daemon.names = {"never-started": "A bot"}

    assert execsvc("release", "never-started", "--abandon", "--yes").code == 2
    assert daemon.told == []


def test_release_abandon_ledger_damaged_names_the_remedy(execsvc: Execsvc, state_dir: Path) -> None:
    make_bot(state_dir, tracked="0.02")
    ledger_path(state_dir, BOT).write_bytes(b"x" * 100)

    outcome = execsvc("release", BOT, "--abandon", "--yes")

    assert outcome.code == 75
    assert "move the file away" in outcome.err


def test_release_abandon_ledger_in_use_is_not_done(execsvc: Execsvc, state_dir: Path) -> None:
    make_bot(state_dir, tracked="0.02")
    owner = store_in(state_dir).bot(BOT)
    owner.open()

    outcome = execsvc("release", BOT, "--abandon", "--yes", "--timeout", "0.5", "--json")

    assert outcome.code == 75
    assert "is in use" in json.loads(outcome.out)["not_done"]
    assert owner.position(BINDING).tracked == Decimal("0.02")
    owner.close()


def test_release_abandon_without_a_daemon_ends_held_too(execsvc: Execsvc, state_dir: Path) -> None:
    make_bot(state_dir, tracked="0.02")
    store_in(state_dir).held().add(BOT, keeps=True)

    outcome = execsvc("release", BOT, "--abandon", "--yes")

    assert outcome.code == 0
    assert "0.02 BTC (BTC/USDT, key key) booked as abandoned" in outcome.out
    assert store_in(state_dir).held().bots == {}


def test_release_ends_held_also_without_a_daemon(execsvc: Execsvc, state_dir: Path) -> None:
    make_bot(state_dir)
    held = store_in(state_dir).held()
    held.add(BOT, keeps=False)
    held.add("another", keeps=False)

    outcome = execsvc("release", BOT)

    assert outcome.code == 0
    assert set(store_in(state_dir).held().bots) == {"another"}


def test_release_of_a_bot_without_a_ledger_is_left_to_the_daemon(
    execsvc: Execsvc, daemon: ControlSocket
) -> None:
    daemon.names = {"never-started": "A bot"}

    outcome = execsvc("release", "never-started")

    assert outcome.code == 0
    assert daemon.told == [{"call": "release", "bot_id": "never-started"}]


def test_a_bot_is_found_by_the_name_that_the_daemon_knows(
    execsvc: Execsvc, state_dir: Path, daemon: ControlSocket
) -> None:
    make_bot(state_dir, tracked="0.02")
    daemon.names = {BOT: "My BTC bot", "other": "Your BTC bot"}

    assert execsvc("release", "My BTC bot", "--no-wait").code == 0
    assert daemon.told == [{"call": "release", "bot_id": BOT}]


def test_a_name_that_two_bots_have_is_refused(execsvc: Execsvc, daemon: ControlSocket) -> None:
    daemon.names = {"one": "Twin", "two": "Twin"}

    outcome = execsvc("release", "Twin")

    assert outcome.code == 2
    assert "one, two" in outcome.err
    assert daemon.told == []
