"""The moment at which an open intent may be called not executed."""

from __future__ import annotations

import pytest
from support.host_rows import NOW, TIMING, answer

from execsvc.hosts.rows import OpenIntent
from execsvc.hosts.settling import IntentWatch

INTENT = OpenIntent("k", "one", "IN_FLIGHT", NOW)


def watched(*seen: tuple[float, OpenIntent]) -> IntentWatch:
    watch = IntentWatch(TIMING)
    for at, intent in seen:
        watch = watch.answered(answer(intents=(intent,)), at)
    return watch


@pytest.mark.parametrize(
    ("database", "own", "may"),
    [(42, 42, True), (41.9, 42, False), (42, 41.9, False), (3600, 3, False), (-3600, 90, False)],
)
def test_intent_is_decided_only_when_both_clocks_say_so(
    database: float, own: float, may: bool
) -> None:
    watch = watched((0, INTENT), (3, INTENT))

    seen = answer(intents=(INTENT,), seconds=database)
    assert watch.may_decide(seen, INTENT, own) is may


def test_intent_that_was_never_seen_is_not_decided() -> None:
    assert not IntentWatch(TIMING).may_decide(answer(seconds=90), INTENT, 1000)


def test_intent_that_changed_is_watched_anew() -> None:
    changed = INTENT._replace(state="UNKNOWN")

    watch = watched((0, INTENT), (30, changed))

    assert not watch.may_decide(answer(seconds=90), changed, 71)
    assert watch.may_decide(answer(seconds=90), changed, 72)


def test_intent_that_was_away_is_watched_anew() -> None:
    watch = watched((0, INTENT)).answered(answer(), 3).answered(answer(intents=(INTENT,)), 30)

    assert not watch.may_decide(answer(seconds=90), INTENT, 71)


def test_accounts_with_an_open_intent_are_named() -> None:
    assert IntentWatch.accounts(answer(intents=(INTENT,))) == {"k"}
