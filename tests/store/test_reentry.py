"""The word that a stopped-out bot may enter again: given from outside, taken once by its own process."""

from __future__ import annotations

from pathlib import Path

import pytest

from execsvc.clock import now
from execsvc.errors import LedgerFailed
from execsvc.store.sqlite.bot import guards, reentry
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.paths import ledger_path
from execsvc.store.sqlite.service.survey import survey
from execsvc.store.tripped import STOP_LOSS, Tripped


def test_take_without_a_word_is_false(tmp_path: Path) -> None:
    assert not reentry.take(ledger_path(tmp_path, "b1"))


def test_take_is_true_once(tmp_path: Path) -> None:
    ledger = BotLedger(tmp_path, "b/1")
    ledger.open()
    reentry.allow(ledger_path(tmp_path, "b/1"))
    reentry.allow(ledger_path(tmp_path, "b/1"))
    assert ledger.may_reenter()
    assert not ledger.may_reenter()
    ledger.close()


def test_survey_shows_no_stop_loss_of_a_bot_that_may_enter_again(tmp_path: Path) -> None:
    ledger, path = BotLedger(tmp_path, "b1"), ledger_path(tmp_path, "b1")
    ledger.open()
    guards.keep(ledger.connection, Tripped(STOP_LOSS, "5 USDT LIVE", now(), "sold"))
    ledger.close()
    (state,) = survey(tmp_path)[0]
    assert state.stop_loss is not None
    reentry.allow(path)
    (state,) = survey(tmp_path)[0]
    assert state.stop_loss is None


def test_allow_for_a_bot_without_a_ledger_leaves_nothing(tmp_path: Path) -> None:
    reentry.allow(ledger_path(tmp_path, "b1"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_failed_ledger(tmp_path: Path) -> None:
    path = ledger_path(tmp_path, "b1")
    path.parent.mkdir(parents=True)
    path.touch()
    path.with_suffix(reentry.SUFFIX).mkdir()
    with pytest.raises(LedgerFailed):
        reentry.take(path)
