"""How far was delivered, and the ids that were given, survive; one process has them."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from execsvc.errors import LedgerBusy, LedgerFailed
from execsvc.model.told import Telling
from execsvc.store.outbox import Mark
from execsvc.store.sqlite.deliveries import FILE, Deliveries

AT = datetime(2026, 1, 2, tzinfo=timezone.utc)


def test_marks_and_ids_survive(tmp_path: Path) -> None:
    one = Deliveries(tmp_path)
    one.open()
    assert one.mark("b") is None
    assert one.last_at() is None
    one.delivered("b", Mark("c1", Telling.ORDER), '"x"', AT)
    one.delivered("b", Mark("c1", Telling.SENT), None, AT)
    one.delivered("other", Mark("c2", Telling.ORDER), "5", AT)
    one.close()
    two = Deliveries(tmp_path)
    two.open()
    assert two.mark("b") == Mark("c1", Telling.SENT)
    assert (two.given("c1"), two.given("c2")) == ('"x"', "5")
    assert two.last_at() == AT
    two.close()


@pytest.mark.parametrize("last", [Telling.FILLED, Telling.FAILED])
def test_an_id_is_forgotten_with_the_last_that_goes_by_it(tmp_path: Path, last: Telling) -> None:
    deliveries = Deliveries(tmp_path)
    deliveries.open()
    deliveries.delivered("b", Mark("c1", Telling.ORDER), '"x"', AT)
    deliveries.delivered("b", Mark("c1", Telling.EXECUTION), None, AT)
    assert deliveries.given("c1") == '"x"'
    deliveries.delivered("b", Mark("c1", last), None, AT)
    with pytest.raises(LedgerFailed, match="does not know the order c1"):
        deliveries.given("c1")
    deliveries.close()


def test_one_process_delivers(tmp_path: Path) -> None:
    one, two = Deliveries(tmp_path), Deliveries(tmp_path)
    one.open()
    with pytest.raises(LedgerBusy):
        two.open()
    one.close()
    two.open()
    two.close()


def test_a_damaged_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, but longer than a header of one " * 100)
    deliveries = Deliveries(tmp_path)
    with pytest.raises(LedgerFailed, match=FILE):
        deliveries.open()
    deliveries.close()
    assert (tmp_path / FILE).read_bytes().startswith(b"not a database")
