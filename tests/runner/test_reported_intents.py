"""An intent whose report to BotService cannot be written: the order goes out."""

from __future__ import annotations

from pathlib import Path

from support.ledger_samples import BINDING, intent, order
from support.store_files import change
from support.stores import open_bot, waiting

from execsvc.runner.record import Record


def test_an_intent_that_cannot_be_reported_is_reported_with_its_outcome(tmp_path: Path) -> None:
    ledger = open_bot(tmp_path, "b1", reports=True)
    ledger.bind(BINDING, None)
    change(ledger, "PRAGMA query_only=1")
    Record("b1", ledger).intent(intent())
    change(ledger, "PRAGMA query_only=0")
    assert (ledger.reported, waiting(tmp_path, "b1")) == (0, [])
    ledger.book(BINDING, order())
    rows = waiting(tmp_path, "b1")
    assert [row.mark.kind.value for row in rows] == ["ORDER", "SENT", "EXECUTION", "FILLED"]
    ledger.close()
