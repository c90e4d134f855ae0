"""Two hosts on shared records in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.ledger_samples import BINDING
from support.store_backends import ReplicatedBackend

from execsvc.store.replicated.journal_copy import JournalCopy
from execsvc.store.replicated.ledger_copy import LedgerCopy


@pytest.fixture
def hosts(tmp_path: Path) -> ReplicatedBackend:
    """Hosts, of which the first has claimed the account."""
    made = ReplicatedBackend(tmp_path)
    assert made.service("one").claims().take("k1") is None
    return made


@pytest.fixture
def bot(hosts: ReplicatedBackend) -> Iterator[LedgerCopy]:
    """A bot of that account, with its records open on the first host."""
    with closing(hosts.service("one").bot("b1")) as made:
        made.open()
        made.bind(BINDING, 5)
        yield made


@pytest.fixture
def account(hosts: ReplicatedBackend) -> Iterator[JournalCopy]:
    """The account, with its records open on the first host."""
    with closing(hosts.service("one").account("k1")) as made:
        assert made.unsettled() is None
        yield made
