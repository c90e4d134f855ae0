"""What BotService is to be told of an intent, where it cannot be written: the order goes out."""

from __future__ import annotations

from pathlib import Path

from support.ledger_samples import BINDING, intent, order

from execsvc.runner.record import Record
from execsvc.store.sqlite.booking import book
from execsvc.store.sqlite.bot_ledger import BotLedger
from execsvc.store.sqlite.outbox import waiting
from execsvc.store.sqlite.paths import ledger_path


def test_an_intent_that_cannot_be_reported_is_reported_with_its_outcome(tmp_path: Path) -> None:
    ledger = BotLedger(tmp_path, "b1", reports=True)
    ledger.open()
    ledger.bind(BINDING, None)
    ledger.connection.execute("PRAGMA query_only=1")
    Record("b1", ledger).intent(intent())
    ledger.connection.execute("PRAGMA query_only=0")
    assert (ledger.reported, waiting(ledger_path(tmp_path, "b1"), None, 9)) == (0, ([], 0))
    book(ledger, BINDING, order())
    rows, _ = waiting(ledger_path(tmp_path, "b1"), None, 9)
    assert [row.mark.telling.value for row in rows] == ["ORDER", "SENT", "EXECUTION", "FILLED"]
    ledger.close()
