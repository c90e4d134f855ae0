"""The claims of services on accounts, in every store: these tests know its protocol and nothing else."""

from __future__ import annotations

import os
from contextlib import closing
from decimal import Decimal

from support.ledger_samples import AT, BINDING
from support.store_backends import ClaimsBackend

from execsvc.model.position import Position
from execsvc.store.store import ClaimedStore

HELD = Position(tracked=Decimal("0.02"), entry_price=Decimal(50000), opened_at=AT)


def ran(store: ClaimedStore, bot_id: str, position: Position) -> None:
    """Let ``bot_id`` have run with this service, and hold ``position``."""
    with closing(store.bot(bot_id)) as bot:
        bot.open()
        bot.bind(BINDING, None)
        bot.keep_position(BINDING, position)


def test_account_has_one_service_at_a_time(claims_backend: ClaimsBackend) -> None:
    one, two = claims_backend.service("one").claims(), claims_backend.service("two").claims()
    assert one.take("k1") is None
    assert one.take("k1") is None
    assert one.paused("k1") is None
    why = two.take("k1")
    assert why is not None
    assert f"pid {os.getpid()}" in why
    assert two.take("k2") is None
    one.keep_only({"k1"})
    assert two.take("k1") is not None


def test_account_that_is_given_up_is_taken_by_the_service_that_waits(
    claims_backend: ClaimsBackend,
) -> None:
    one, two = claims_backend.service("one").claims(), claims_backend.service("two").claims()
    one.take("k1")
    two.take("k1")
    one.keep_only(())
    two.keep_only({"k1"})
    assert one.take("k1") is not None


def test_holder_of_an_account_is_known_to_every_service(claims_backend: ClaimsBackend) -> None:
    store, claims = claims_backend.service("one"), claims_backend.service("one").claims()
    assert store.holder("k1") is None
    claims.take("k1")
    for name, is_ours in (("one", True), ("two", False)):
        found = claims_backend.service(name).holder("k1")
        assert found is not None
        assert found.is_ours is is_ours
        assert f"pid {os.getpid()}" in found.text
    assert store.holder("k2") is None
    claims.keep_only(())
    assert store.holder("k1") is None


def test_claim_of_an_earlier_process_of_the_service_is_no_obstacle(
    claims_backend: ClaimsBackend,
) -> None:
    before, after = claims_backend.service().claims(), claims_backend.service().claims()
    assert before.take("k1") is None
    assert after.take("k1") is None


def test_bot_is_run_elsewhere_only_by_a_service_that_knows_it(
    claims_backend: ClaimsBackend,
) -> None:
    one, two = claims_backend.service("one"), claims_backend.service("two")
    mine, theirs = one.claims(), two.claims()
    ran(one, "b1", Position())
    assert not theirs.may_be_run_elsewhere("k1", "b1"), "no service has the account"
    mine.take("k1")
    assert theirs.may_be_run_elsewhere("k1", "b1")
    assert not theirs.may_be_run_elsewhere("k1", "b2")
    assert not mine.may_be_run_elsewhere("k1", "b1")


def test_bot_is_held_elsewhere_while_its_service_lives(claims_backend: ClaimsBackend) -> None:
    one, two = claims_backend.service("one"), claims_backend.service("two")
    mine, theirs = one.claims(), two.claims()
    ran(one, "b1", HELD)
    ran(one, "b2", Position())
    assert theirs.held_elsewhere(["b1"]) == set(), "no account of that service is claimed"
    mine.take("k1")
    assert theirs.held_elsewhere(["b1", "b2", "b3"]) == {"b1"}
    assert mine.held_elsewhere(["b1"]) == set()
    assert theirs.held_elsewhere([]) == set()


def test_fence_of_a_claim_never_shrinks(claims_backend: ClaimsBackend) -> None:
    one, two = claims_backend.service("one").claims(), claims_backend.service("two").claims()
    one.take("k1")
    first = one.fence("k1")
    one.keep_only(())
    two.take("k1")
    assert two.fence("k1") >= first >= 0
