"""The file of deliveries where it cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from execsvc.errors import LedgerFailed
from execsvc.store.sqlite.service.deliveries import FILE, DeliveriesFile


def test_a_damaged_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, but longer than a header of one " * 100)
    deliveries = DeliveriesFile(tmp_path)
    with pytest.raises(LedgerFailed, match=FILE):
        deliveries.open()
    deliveries.close()
    assert (tmp_path / FILE).read_bytes().startswith(b"not a database")
