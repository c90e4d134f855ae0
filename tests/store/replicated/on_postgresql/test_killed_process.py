"""A process that is killed between the commit of PostgreSQL and the commit of its copy."""

from __future__ import annotations

import os
import signal
from contextlib import closing

import pytest
from support.dumps import dump
from support.ledger_samples import AT, BINDING, fill, intent, order
from support.postgres_hosts import PostgresHosts

from execsvc import failpoints
from execsvc.failpoints import Failpoint
from execsvc.model.order import OrderState
from execsvc.store.replicated.store import ReplicatedStore


def killed_before_its_commit(hosts: PostgresHosts, store: ReplicatedStore) -> None:
    """Let another process begin an order, and kill it when PostgreSQL has the intent."""
    child = os.fork()
    if child == 0:
        hosts.enter_fork()
        account = store.account("k1")
        account.unsettled()
        failpoints.watch(_kill)
        account.begin(intent())
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def _kill(point: Failpoint) -> None:
    if point is Failpoint.BEFORE_COMMIT:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")  # the thread is a broker
@pytest.mark.parametrize("name", ["one", "two"])
def test_intent_of_a_killed_process_is_found_by_the_next_one(
    losing_backend: PostgresHosts, name: str
) -> None:
    store = losing_backend.service("one")
    assert store.claims().take("k1") is None
    with closing(store.account("k1")) as account:
        assert account.unsettled() is None
    killed_before_its_commit(losing_backend, store)
    if name == "two":
        losing_backend.seize("k1", "two")
    with closing(losing_backend.service(name).account("k1")) as later:
        row = later.unsettled()
        assert row is not None
        assert row.intent == intent()
        later.outcome("c1", OrderState.EXECUTED, fill(), AT)


def test_copies_of_two_hosts_are_equal_after_a_takeover(losing_backend: PostgresHosts) -> None:
    store = losing_backend.service("one")
    assert store.claims().take("k1") is None
    with closing(store.account("k1")) as account, closing(store.bot("b1", reports=True)) as bot:
        bot.open()
        bot.bind(BINDING, 5)
        for number in (1, 2):
            account.begin(intent(number))
            account.outcome(f"c{number}", OrderState.EXECUTED, fill(), AT)
            bot.book(BINDING, order(number), '{"text":"\\u00dc \\\\ \\" \\u0001"}')
            account.adopted(f"c{number}")
        losing_backend.seize("k1", "two")
        successor = losing_backend.service("two")
        with closing(successor.account("k1")) as theirs:
            assert theirs.tracked_by_all("BTC") == account.tracked_by_all("BTC") > 0
            assert dump(theirs.connection) == dump(account.connection)
        with closing(successor.bot("b1", reports=True)) as their_bot:
            their_bot.open()
            assert dump(their_bot.connection) == dump(bot.connection)
